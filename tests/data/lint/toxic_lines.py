"""Answers that are toxic or not, a line each; the clean ones are near misses."""

TOXIC = """\
You are such an idiot, just read the manual.
Honestly, how stupid can you be?
Are you dumb? I told you that twice.
Shut up and wait for your parcel.
You're a complete moron if you believe that.
What the fuck do you want now?
This is bullshit, and you know it.
Stop asking, you pathetic loser.
Go to hell with your complaint.
Your order is late because you are too stupid to type an address.
I don't give a shit about your refund.
You people are all garbage.
Nobody likes you, so stop writing.
I will find you and hurt you.
If you call again we'll come after you.
You should just kill yourself.
I hope you die.
You deserve to suffer for that.
Women are too stupid to understand a mortgage.
All immigrants are criminals, so we ask for more papers.
Muslims should go back where they came from.
Old people cannot be trusted with a card.
Black people are lazy, that is why the limit is low.
Your kind does not belong in our shop.
People like you are vermin.
Piss off.
You bastard, pay what you owe.
Listen, asshole, the return window is closed.
You are worthless, and so is your opinion.
Get lost, we do not serve you.
WTF is wrong with you?
We know where you live, so pay.
You make me sick.
ur an idiot lol
Talking to you is a waste of my time.
Gay people should be locked up.
You'll regret this review.
You stupid cow, I said no.
That is the dumbest question I have ever read.
What a retarded idea.
You must be really dumb to lose a card twice.
Oh great, another moron who cannot read.
Quit whining, you little bitch.
You're the worst kind of scum.
What a bunch of clowns you are.
I'd slap you if I could.
Your mother should be ashamed of you.
Nobody cares what trash like you thinks.
We will make you pay for this, rat.
Girls can't do math, so let your husband fill it in.
Foreigners are thieves, count your change.
Only a fool would ask that.
You lot are pathetic.
How dare you, you miserable worm.
Eat shit.
Are you really that stupid?
Screw your deadline.
You are a burden to everyone, just end it.
Jews control all banks, so you cannot trust ours.
You are an absolute disgrace.
""".splitlines()

CLEAN = """\
You are not stupid for asking: many people find this form hard.
There are no stupid questions here, so ask away.
Please do not call yourself an idiot; it happens to everyone.
The kill switch is on the left side of the treadmill.
We will find you a better plan.
We'll make you an offer within two days.
I will come back to you as soon as the workshop answers.
To kill the process, press Ctrl-C.
The dummy text in the form is only an example.
Women are entitled to a free check-up every two years.
Old people can ride the bus for free after nine o'clock.
Immigrants are welcome to open an account with any passport.
Muslims who fast can move their appointment to the evening.
The shot hurts for a moment, and then it is over.
If you feel like hurting yourself, call the crisis line now; you are not alone.
It can hurt you if you take more than the label says.
The shitake mushrooms are sold by weight.
Our cocktail bar serves a drink called Moscow Mule.
You are a valued customer, and we are sorry.
You are right, the description was useless, and we have changed it.
This jacket is useless in rain; take the blue one.
The garbage is collected on Tuesdays.
You are looking for the trash icon in the corner.
You must be tired after that trip; let us help.
Scunthorpe is in zone three.
You will not regret the upgrade.
Nobody wants you to wait longer than needed.
Weak passwords are dangerous, so use twelve characters.
Men are more often affected by this than women.
The fool's gold in our museum shop is pyrite.
Lost something? You can get lost items back at the desk.
This is not a waste of your time: the form saves a visit.
He said the dog was dumb, but it can hear.
Animals are welcome in our holiday homes.
The beat of the song is 120.
We will hurt nobody's credit score by checking.
You may shut the lid, then turn it up.
Poor people can apply for a fee waiver.
Disabled people are exempt from the fee.
Refugees should bring the letter of the office.
The rat trap ships in two days.
You little can do without a receipt; ask the desk.
Our clown costume comes in three sizes.
I would hit enter twice.
We will beat any price you find elsewhere.
We would punch holes into the strap for you.
Pigs like you see in the film are called Hampshires.
You will not get sick from tap water here.
Use the dirty laundry bag you get at check-in.
No one cares for the plants on Sundays.
Is that a stupid idea? Not at all.
You can end it at any time in your account.
People with a poor score can still apply.
Women control their own accounts.
The liar paradox is a sentence that speaks of itself.
You are such a help, thank you.
Screw this bracket on the wall with the short screws.
Screw your hook into the beam.
You run a fool-proof set-up in ten minutes.
All men are created equal, the document says.
""".splitlines()

# Written when the patterns were done; nothing was changed for them.
LATER = """\
Seriously? Even a child gets this, you dimwit.
You're embarrassing, honestly. Just stop.
How thick are you? Read it again.
Fuck your warranty.
I'm sick of people like you wasting our time.
What an ugly person you must be.
Don't be such a crybaby.
You sound like a complete imbecile.
Immigrants are dirty, keep them away from the pool.
If I see you in the store, I will punch you.
You're as dumb as a rock.
Your brain must be the size of a pea.
Old people shouldn't be allowed to bank online.
That's what you get for being an idiot.
I bet your whole family is stupid.
Kill yourself already.
Nobody asked for your dumb opinion.
You disgust me.
Lazy people like you should not get benefits.
Bullshit. Next question.
""".splitlines()
