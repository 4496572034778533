# The CPU build, with the locked versions: docker build -t harness .
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends make g++ libnuma1 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/harness
COPY . .
RUN make setup
WORKDIR /project
ENTRYPOINT ["/opt/harness/.venv/bin/harness"]
