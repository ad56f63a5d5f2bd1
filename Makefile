# On a fresh machine every target makes .venv and installs what it needs. Windows: see the README.
PYTHON ?= python3
BIN := .venv/bin
DEMO := run/gan/demo_lines64

.PHONY: demo train test bench data venv
.DEFAULT_GOAL := demo

## demo: 64-pixel lines -> training -> generator.h5 -> new images, in about 7 minutes on 2 cores
demo: .venv/installed
	@test -f run/data/lines64.zip || $(BIN)/python -m lines --size 64 --weight 3 --out run/data/lines64.zip
	$(BIN)/python train.py --data run/data/lines64.zip --run-id demo --preset lines64 --n-critic 2 --epochs 801
	$(BIN)/python generate.py images --generator $(DEMO)/generator.h5 --seeds 100-124 --out $(DEMO)/new
	@echo
	@echo "Twenty-five new images: $(DEMO)/new/grid.png"
	@echo "How it learned:         $(DEMO)/images/sample_0.png ... sample_800.png, converge.png"

## train: the reference training, lines128 on output.zip, 1,201 epochs; the same command continues it
train: .venv/installed
	$(BIN)/python train.py

# What a user does, from training to new images, which must work on the other frameworks too.
ALIKE := tests/test_training.py tests/test_precision.py tests/test_generator.py \
  tests/test_scripts.py \
  tests/test_project.py::test_both_notebooks_from_the_root_and_from_their_own_folder

## test: lint, format, all tests on TensorFlow, and what a user does on JAX and PyTorch
test: .venv/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest
	KERAS_BACKEND=jax $(BIN)/python -m pytest $(ALIKE)
	KERAS_BACKEND=torch $(BIN)/python -m pytest $(ALIKE)

## bench: benchmarks; they print ratios and assert nothing
bench: .venv/installed-tests
	$(BIN)/python -m tests.benchmarks.dataset
	$(BIN)/python -m tests.benchmarks.loader
	$(BIN)/python -m tests.benchmarks.generate
	$(BIN)/python -m tests.benchmarks.saving
	$(BIN)/python -m tests.benchmarks.train_step --epochs 2

## data: output.zip anew, the same bytes
data: .venv/installed
	$(BIN)/python -m lines --out output.zip

## venv: the environment alone
venv: .venv/installed

.venv/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or later is needed; name one: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/installed-tests: .venv/installed tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@
