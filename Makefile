# make demo   set everything up, then train, serve, test and judge three small candidates
# make test   set everything up, then run every test
# make check  lint, types, and the tests nearest to what changed since the main branch
# make setup  only set up: a virtual environment in .venv with the locked versions
# make lint   format check, lint, strict types, layers
# make docs   write docs/cli.md, the page of all commands' help
# make lock   pin the newest versions that fit, into requirements/cpu.lock

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/cpu.lock
TORCH_INDEX := https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test check setup browser lint lock docs
.DEFAULT_GOAL := demo

demo: setup
	$(BIN)/harness demo

# More files at a time than a small machine has cores: many tests wait for servers and processes.
# tests/conftest.py says which tests go together and which come first.
test: setup browser
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# What to run before a commit; the slow tests are left to `make test`.
check: lint
	@files=$$($(BIN)/python -m tests.affected) && if [ -z "$$files" ]; then echo "no test is near what changed"; \
	  else $(BIN)/python -m pytest -q -n 2 -m "not slow" $$files; fi

# The stamp is a copy of the lock and of the package's metadata, so that only a change of content
# installs again. CPU torch is a step of its own: its index must not be asked for anything else.
setup:
	@if cat $(LOCK) pyproject.toml | cmp -s - $(VENV)/installed.txt; then exit 0; fi; set -e; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'; \
	  test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
	  $(PIP) install --quiet --no-deps --extra-index-url $(TORCH_INDEX) "$$(grep '^torch==' $(LOCK))"; \
	  echo "installing the packages of $(LOCK), some 2 GB to load"; \
	  $(PIP) install --quiet --no-deps -r $(LOCK); \
	  $(PIP) install --quiet --no-deps --no-build-isolation -e .; \
	  cat $(LOCK) pyproject.toml > $(VENV)/installed.txt

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
	.venv-lock/bin/uv pip compile pyproject.toml requirements/cpu.in --extra train --extra dev \
	  --override requirements/cpu.overrides --extra-index-url $(TORCH_INDEX) \
	  --python-version 3.11 --no-annotate --no-header --no-emit-index-url --output-file $(LOCK)
	rm -rf .venv-lock

# The page of all commands' help.
docs: setup
	$(BIN)/python -m docs.cli_reference > docs/cli.md.new && mv docs/cli.md.new docs/cli.md
