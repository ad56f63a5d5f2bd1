# On a fresh machine every target makes .venv and installs what it needs. Windows: see the README.
PYTHON ?= python3
BIN := .venv/bin
DEMO := run/gan/demo_lines64
# Colab has Python 3.12; its versions exist for 3.11 too, and for no other.
COLAB_PYTHON ?= $(shell for p in python3.12 python3.11 $(PYTHON); do \
  $$p -c '' 2>/dev/null && echo $$p && break; done)

.PHONY: demo train test test-frameworks test-colab bench data venv
.DEFAULT_GOAL := demo

## demo: 64-pixel lines -> training -> generator.h5 -> new images, in minutes on 2 cores
demo: .venv/installed
	@test -f run/data/lines64.zip || $(BIN)/python -m lines --size 64 --weight 3 --out run/data/lines64.zip
	$(BIN)/python train.py --data run/data/lines64.zip --run-id demo --recipe lines --width 0.5 --epochs 6001 --evaluate-every 1000
	$(BIN)/python generate.py images --generator $(DEMO)/generator.h5 --seeds 100-124 --out $(DEMO)/new --overwrite
	@echo
	@echo "Twenty-five new images: $(DEMO)/new/grid.png"
	@echo "How it learned:         $(DEMO)/images/sample_0.png ... sample_6000.png, converge.png"

## train: the reference training, lines128 on output.zip, 1,201 epochs; the same command continues it
train: .venv/installed
	$(BIN)/python train.py

# What a user does, from training to new images, which must work on the other frameworks too.
ALIKE := tests/models/training/test_trainer.py tests/models/test_precision.py \
  tests/utils/drawing/test_latents.py tests/whole/test_recipes.py \
  tests/whole/test_scripts.py::test_scripts_from_the_sketch_to_new_images \
  tests/whole/test_scripts.py::test_an_interrupted_training_saves_and_says_how_to_continue \
  tests/whole/test_scripts.py::test_what_is_there_already_is_not_replaced_unless_asked \
  tests/models/training/test_resume.py::test_a_run_that_was_killed_twice_ends_like_one_that_was_not \
  tests/whole/test_notebooks.py::test_other_networks_for_grey_images

# What must hold with Colab's versions too; the whole suite there would say little more.
CORE := tests/utils/notebook/test_colab.py tests/models/test_forward.py tests/models/test_wgangp.py \
  tests/utils/test_loaders.py tests/utils/drawing/test_latents.py \
  tests/models/training/test_trainer.py tests/utils/generator/test_export.py \
  tests/whole/test_notebooks.py::test_a_session_in_colab_ends_and_another_continues_on_drive

# Two processes, of which one waits mostly for others; a file's tests share what they have made.
PYTEST := python -m pytest -n 2 --dist loadfile
# JAX compiles the same small programs in many processes: from a cache, and less optimised.
JAX_CACHE := JAX_COMPILATION_CACHE_DIR=$(CURDIR)/.cache/jax \
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 XLA_FLAGS=--xla_backend_optimization_level=0
IS_COLABS := $(COLAB_PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))'

## test: lint, format, all tests on TensorFlow, and that JAX and PyTorch compute the same
test: .venv/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/$(PYTEST)

## test-frameworks: what a user does on JAX and on PyTorch, and the core tests with Colab's versions
test-frameworks: .venv/installed-tests
	KERAS_BACKEND=jax $(JAX_CACHE) $(BIN)/$(PYTEST) $(ALIKE)
	KERAS_BACKEND=torch $(BIN)/$(PYTEST) $(ALIKE)
	@if $(IS_COLABS); then $(MAKE) --no-print-directory test-colab; \
	  else echo "Not tested with Colab's versions, which need Python 3.11 or 3.12"; fi

## test-colab: the core tests with Colab's versions, which requirements.txt must not change
test-colab: .venv-colab/installed
	KERAS_BACKEND=tensorflow VERSIONS=colab .venv-colab/bin/$(PYTEST) $(CORE)

## bench: benchmarks; they print ratios and assert nothing
bench: .venv/installed-tests
	$(BIN)/python -m tests.benchmarks.dataset
	$(BIN)/python -m tests.benchmarks.loader
	$(BIN)/python -m tests.benchmarks.generate
	$(BIN)/python -m tests.benchmarks.films
	$(BIN)/python -m tests.benchmarks.web
	$(BIN)/python -m tests.benchmarks.projection
	$(BIN)/python -m tests.benchmarks.judge
	$(BIN)/python -m tests.benchmarks.prepare
	$(BIN)/python -m tests.benchmarks.saving
	$(BIN)/python -m tests.benchmarks.fuzz --cases 10000
	$(BIN)/python -m tests.benchmarks.fuzz --cases 10000 --first 4 --step 5
	$(BIN)/python -m tests.benchmarks.recipes
	$(BIN)/python -m tests.benchmarks.train_step --epochs 2
	$(BIN)/python -m tests.benchmarks.scaling --batch-size 8 --n-critic 2

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

.venv-colab/installed: requirements.txt tests/colab.txt
	@$(IS_COLABS) || \
	  { echo "Colab's versions need Python 3.11 or 3.12: make test-colab COLAB_PYTHON=python3.12"; exit 2; }
	$(COLAB_PYTHON) -m venv --clear .venv-colab
	.venv-colab/bin/python -m pip install --quiet --disable-pip-version-check -r tests/colab.txt pytest-xdist \
	  onnxruntime ai-edge-litert
	.venv-colab/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
