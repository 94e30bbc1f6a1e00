# The commands for developers. `make run` and `make test` set up what is missing first.

VENV = .venv
IN_VENV = $(VENV)/bin/python
PIP_INSTALL = $(IN_VENV) -m pip install --quiet --quiet --disable-pip-version-check
# Some tests only wait for real processes: more of them run in parallel than there are cores.
JOBS = 3
# Without ARGS; `make test-services` runs the others.
QUICK = -m "not thorough and not release"
# The tests start dozens of processes: they cache bytecode, whatever the environment says.
CACHED = env -u PYTHONDONTWRITEBYTECODE
# Checks need settings, but never those of a real shop.
CHECKED = env -u MYSQL_HOST -u REDIS_HOST ENV_FILE=/dev/null SECRET_KEY=a-key-of-the-checks-alone-that-signs-nothing
COMPILE = $(IN_VENV) -m uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header

.PHONY: help run mysql test test-services test-clients test-containers lint lock audit openapi fuzz docs

help:
	@echo "make run    the whole service on this machine, at http://127.0.0.1:8000/; RELOAD=1 restarts it after changes"
	@echo "make mysql  install the client of MySQL, which is compiled, for make run with MYSQL_HOST"
	@echo "make test   the tests that need no server and start no service; all of those that ARGS name"
	@echo "make test-services  every relevant test on MySQL and Redis, the whole service, and pictures in buckets"
	@echo "make test-clients  tests with a browser and generated clients"
	@echo "make test-containers  the image and docker-compose.yml, tested on port 80"
	@echo "make lint   style, types, import directions, migrations"
	@echo "make fuzz   fuzz the API from its OpenAPI document, on MySQL and Redis, with a fixed seed"
	@echo "make docs   build the documentation as a site, in var/docs/site/; fails for a link that leads nowhere"
	@echo "make openapi  generate the committed OpenAPI document"
	@echo "make lock   compile the requirements files from pyproject.toml, with the hashes of their packages"
	@echo "make audit  check the requirements files for known advisories"

run: $(VENV)/run.stamp
	@$(IN_VENV) -m productbackend.embedded.dotenv
	@exec $(IN_VENV) manage.py run

mysql: $(VENV)/mysql.stamp

test: $(VENV)/test.stamp
	@$(CACHED) $(IN_VENV) -m pytest --quiet --numprocesses $(JOBS) --dist loadgroup $(or $(ARGS),$(QUICK))

test-services: $(VENV)/services.stamp
	@$(CACHED) $(IN_VENV) -m tests.services.run $(ARGS)

test-clients: $(VENV)/clients.stamp tests/clients/typescript/node_modules tests/browser/node_modules
	@sh scripts/check-chromium
	@$(IN_VENV) -m pytest --quiet $(or $(ARGS),tests/clients tests/browser)

test-containers: $(VENV)/test.stamp
	@$(IN_VENV) -m tests.containers.run $(ARGS)

lint: $(VENV)/test.stamp
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	$(CHECKED) $(IN_VENV) -m mypy .
	$(VENV)/bin/lint-imports
	$(CHECKED) $(IN_VENV) manage.py makemigrations --check --dry-run
	$(VENV)/bin/hadolint Dockerfile
	@sh scripts/check-compose

fuzz: $(VENV)/services.stamp
	@$(IN_VENV) -m tests.fuzz $(or $(ARGS),--seed 1 --max-examples 3 --no-shrink)

lock: $(VENV)/test.stamp
	@$(PIP_INSTALL) uv
	$(COMPILE) pyproject.toml --output-file requirements.txt $(ARGS)
	$(COMPILE) pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt $(ARGS)
	$(COMPILE) pyproject.toml --group clients --constraint requirements-dev.txt --output-file requirements-clients.txt $(ARGS)
	$(COMPILE) pyproject.toml --group docs --constraint requirements-dev.txt --output-file requirements-docs.txt $(ARGS)
	$(COMPILE) pyproject.toml --extra mysql --constraint requirements.txt --output-file requirements-mysql.txt $(ARGS)
	$(COMPILE) pyproject.toml --extra s3 --constraint requirements-mysql.txt --output-file requirements-s3.txt $(ARGS)
	$(COMPILE) pyproject.toml --extra stripe --constraint requirements-dev.txt --output-file requirements-stripe.txt $(ARGS)
	$(COMPILE) pyproject.toml --extra mysql --extra s3 --group services --constraint requirements-s3.txt --constraint requirements-dev.txt --output-file requirements-services.txt $(ARGS)

docs: $(VENV)/docs.stamp
	@sh scripts/build-docs $(VENV)/bin/zensical var/docs

audit: $(VENV)/test.stamp
	@sh scripts/audit $(VENV)/audit

openapi: $(VENV)/test.stamp
	$(CHECKED) $(IN_VENV) manage.py spectacular --validate --fail-on-warn --file openapi.yml

$(VENV)/bin/python:
	@PYTHON="$(PYTHON)" sh scripts/make-venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/python
	@echo "Installing requirements.txt"
	@$(PIP_INSTALL) --require-hashes --requirement requirements.txt
	@touch $@

$(VENV)/mysql.stamp: requirements-mysql.txt $(VENV)/run.stamp
	@sh scripts/check-mysql-headers
	@echo "Installing requirements-mysql.txt"
	@$(PIP_INSTALL) --require-hashes --requirement requirements-mysql.txt
	@touch $@

$(VENV)/test.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing requirements-dev.txt"
	@$(PIP_INSTALL) --require-hashes --requirement requirements-dev.txt
	@touch $@

$(VENV)/services.stamp: requirements-services.txt $(VENV)/test.stamp
	@sh scripts/check-mysql-headers
	@echo "Installing requirements-services.txt"
	@$(PIP_INSTALL) --require-hashes --requirement requirements-services.txt
	@touch $@

$(VENV)/clients.stamp: requirements-clients.txt $(VENV)/test.stamp
	@echo "Installing requirements-clients.txt"
	@$(PIP_INSTALL) --require-hashes --requirement requirements-clients.txt
	@touch $@

$(VENV)/docs.stamp: requirements-docs.txt $(VENV)/test.stamp
	@echo "Installing requirements-docs.txt"
	@$(PIP_INSTALL) --require-hashes --requirement requirements-docs.txt
	@touch $@

%/node_modules: %/package-lock.json
	@sh scripts/check-node
	@echo "Installing $<"
	@cd $(@D) && npm ci --silent
	@touch $@
