# make book   build the website into _build/html: every chapter is executed on simulated data, which
#             proves that it runs here, and shown as it was recorded on real measurements;
#             make book DATA=pocket PROFILE=teach shows what this machine executed instead
# make page   build one page to look at it: make page CHAPTER=02_honest_evaluation
# make record run every chapter anew on real measurements, keep its page, and print what moved
# make pdf    print the website into _build/pdf: each chapter, and the whole book (needs chromium)
# make test   run every test
# make lab    open the chapters in JupyterLab
# make full   run every chapter with the papers' own grids on the official data, and record the results;
#             each fetches the files that it reads, and one that cannot be had stops only its chapter
# make clean  remove what was built (not the virtual environment)

PYTHON ?= python3
PROFILE ?= quick
DATA ?= teaching
BIN := .venv/bin
RENDER ?= $(if $(filter teaching-quick,$(DATA)-$(PROFILE)),recorded,executed)
EXECUTED := _build/executed/$(DATA)-$(PROFILE)
RUN := $(BIN)/cdp run --profile $(PROFILE) --data $(DATA) --out $(EXECUTED) --if-changed

.PHONY: book page pdf record test lab full clean

book: .venv/ready
	$(RUN) all --jobs 2
	$(BIN)/python -m cdp_book.build $(if $(filter executed,$(RENDER)),--executed $(EXECUTED))

page: .venv/ready
	$(RUN) $(CHAPTER)
	$(BIN)/python -m cdp_book.build --executed $(EXECUTED) --only $(CHAPTER)

pdf: book
	$(BIN)/python -m cdp_book.pdf

record: .venv/ready
	$(BIN)/cdp run all --profile teach --data pocket --record --jobs 2

test: .venv/ready
	$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	$(BIN)/python -m pytest -n 2

lab: .venv/ready
	$(BIN)/jupyter lab notebooks

full: .venv/ready
	$(BIN)/cdp run all --profile full --data official --record

clean:
	rm -rf _build .pytest_cache .hypothesis .benchmarks build *.egg-info

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cdp needs Python 3.11 or newer; run: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv || (echo "Python cannot make a virtual environment here; on Debian run: apt install python3-venv" && false)
	@echo "Installing the exact versions of constraints.txt into .venv (2 GB, some minutes, once) ..."
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[book,test,cluster,trees,molecules]'
	touch $@
