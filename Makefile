# make book   build the website into _build/html (DATA=pocket PROFILE=teach for the site as published)
# make test   run every test
# make lab    open the chapters in JupyterLab
# make full   run every chapter with the papers' own grids on the official data, and record the results;
#             each fetches the files that it reads, and one that cannot be had stops only its chapter
# make clean  remove what was built (not the virtual environment)

PYTHON ?= python3
PROFILE ?= quick
DATA ?= teaching
BIN := .venv/bin
EXECUTED := _build/executed/$(DATA)-$(PROFILE)

.PHONY: book test lab full clean

book: .venv/ready
	$(BIN)/cdp run all --profile $(PROFILE) --data $(DATA) --out $(EXECUTED) --if-changed
	$(BIN)/python -m cdp_book.build --executed $(EXECUTED)

test: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	$(BIN)/python -m pytest -n 2

lab: .venv/ready
	$(BIN)/jupyter lab notebooks

full: .venv/ready
	$(BIN)/cdp run all --profile full --data official --out _build/executed/official-full --record

clean:
	rm -rf _build .pytest_cache .hypothesis .benchmarks build *.egg-info

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cdp needs Python 3.11 or newer; run: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv || (echo "Python cannot make a virtual environment here; on Debian run: apt install python3-venv" && false)
	@echo "Installing the exact versions of constraints.txt into .venv (2 GB, some minutes, once) ..."
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[book,test,cluster]'
	touch $@
