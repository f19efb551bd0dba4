# Ballast: what people type. `make` alone prints the targets.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.DELETE_ON_ERROR:

BUILD := $(CURDIR)/build
# The kernel that the modules are built for: its headers' folder.
KDIR ?= /lib/modules/$(shell uname -r)/build
# The kernel that VMs boot, one of those that scripts/kernel knows.
KERNEL ?= 6.1
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)

export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)

# kbuild builds where Kbuild stands, so it is given a folder of links to the sources, one per kernel.
kernel_version = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)".*/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)

.PHONY: help
help: ## Print this list.
	@echo 'Ballast: movable memory ballooning, CPU accounting on cgroup v2, parallel crash dumps.'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

.PHONY: demo
demo: ## Everything at work in a VM: install, build, boot, balloon, account, crash, dump.
	@scripts/deps modules tools vm
	@kernel=$$(scripts/kernel $(KERNEL)) && \
		$(MAKE) --no-print-directory modules KDIR=$$kernel/build && \
		$(MAKE) --no-print-directory tools && \
		tests/vm/demo --kernel $$kernel --build $(BUILD)

.PHONY: check
check: ## Test everything, in VMs where it takes a kernel; ends with CTest's summary.
	@scripts/deps modules tools vm check
	@kernel=$$(scripts/kernel $(KERNEL)) && \
		$(MAKE) --no-print-directory modules test-modules KDIR=$$kernel/build && \
		$(MAKE) --no-print-directory tests TEST_KERNEL=$$kernel && \
		ctest --test-dir $(BUILD)/tools --output-on-failure --parallel $(JOBS)

.PHONY: modules
modules: ## Build the kernel modules for the kernel whose headers are in KDIR=…
	@$(call build_modules,$(CURDIR),$(BUILD)/modules/$(kernel_version))

# Modules that only tests need.
.PHONY: test-modules
test-modules:
	@$(call build_modules,$(CURDIR)/tests/kmod,$(BUILD)/modules/$(kernel_version)/tests)

# A module's BTF is made against vmlinux; without one kbuild only warns, once for each module.
without_btf = $(if $(wildcard $(KDIR)/vmlinux),,CONFIG_DEBUG_INFO_BTF_MODULES=)

# build_modules SOURCE FOLDER
define build_modules
	scripts/deps modules; \
	if [ -z "$(kernel_version)" ]; then \
		echo "make: no kernel headers in KDIR=$(KDIR); install linux-headers-$$(uname -r) or give another KDIR=" >&2; \
		exit 1; \
	fi; \
	mkdir -p $(2) && \
	cp --recursive --symbolic-link --force $(1)/Kbuild $(wildcard $(1)/kmod) $(wildcard $(1)/*.[ch]) $(2)/ && \
	find $(2) -xtype l -delete && \
	$(MAKE) --no-print-directory -s -C $(KDIR) M=$(2) $(without_btf) modules
endef

.PHONY: tools
tools: ## Build the programs into build/bin/.
	@scripts/deps tools
	@$(call configure,-DBALLAST_TESTS=OFF)
	@cmake --build $(BUILD)/tools

# The programs and their tests, for `make check`.
.PHONY: tests
tests:
	@$(call configure,-DBALLAST_TESTS=ON -DBALLAST_KERNEL=$(TEST_KERNEL) \
		-DCMAKE_PREFIX_PATH=$$(scripts/catch2))
	@cmake --build $(BUILD)/tools

# configure OPTIONS
define configure
	cmake -G Ninja -S $(CURDIR) -B $(BUILD)/tools --log-level=WARNING $(1) >/dev/null
endef

.PHONY: bench
bench: bench-dump ## Measure against the peers, side by side.

.PHONY: bench-dump
bench-dump: ## pmakedumpfile against makedumpfile; CORE=FILE takes a core that is there.
	@scripts/deps modules tools vm check
	@$(MAKE) --no-print-directory tools
	@tests/bench/dump --kernel $$(scripts/kernel $(KERNEL)) --build $(BUILD) $(if $(CORE),--core $(CORE))

.PHONY: format
format: ## Format the C++ sources.
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

.PHONY: install
install: tools ## Install the programs and man pages under PREFIX (default /usr/local).
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)/tools --prefix $(PREFIX)

.PHONY: clean
clean: ## Remove what was built; the cache of kernels stays.
	rm -rf $(BUILD)
