# Ballast: what people type. `make` alone prints the targets.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.DELETE_ON_ERROR:

BUILD := $(CURDIR)/build
# KERNEL is a Debian kernel that scripts/kernel knows: VMs boot it, modules are built for it. Without it VMs boot 6.1.
vm_kernel = $(or $(KERNEL),6.1)
# Modules are built for the headers in KDIR; without both KDIR and KERNEL, for the running kernel.
KDIR ?= $(if $(KERNEL),$$(scripts/kernel $(KERNEL))/build,/lib/modules/$(shell uname -r)/build)
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)

export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)

# Not $(MAKE) itself: a recipe that names it runs also under `make -n`, and all of these are one command with what follows.
submake = $(MAKE) --no-print-directory

.PHONY: help
help: ## Print this list.
	@echo 'Ballast: movable memory ballooning, CPU accounting on cgroup v2, parallel crash dumps.'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

.PHONY: demo
demo: ## Everything at work in a VM: install, build, boot, balloon, account, crash, dump.
	@scripts/deps modules tools vm
	@kernel=$$(scripts/kernel $(vm_kernel)) && \
		$(submake) modules KDIR=$$kernel/build && \
		$(submake) tools && \
		tests/vm/demo --kernel $$kernel --build $(BUILD)

.PHONY: check
check: ## Test everything, in VMs where it takes a kernel; ends with CTest's summary.
	@scripts/deps modules tools vm check
	@kernel=$$(scripts/kernel $(vm_kernel)) && \
		$(submake) modules test-modules KDIR=$$kernel/build && \
		$(submake) tests TEST_KERNEL=$$kernel && \
		$(call ctest,$$kernel)

# The kernels besides check's, and which of their tests are about the kernel.
other_kernels := 5.10 6.12 7.3
KERNEL_TESTS ?= ^(vm|guest|page_flags)\.|^lint\.(static_calls|unknown_kernel)

# One after the other, since they share the CMake tree, and all of them, whatever comes of each.
everywhere := 6.1 $(other_kernels)
.PHONY: check-all
check-all: ## check, the tests of kernels on 5.10, 6.12 and 7.3, vng and kdump-tools on all; build/check/matrix.md tells all.
	@failed=; \
	for target in check $(other_kernels:%=check-on-%) $(everywhere:%=vng@%) $(everywhere:%=kdump-tools@%); do \
		$(submake) $${target%@*} $$([[ $$target != *@* ]] || echo KERNEL=$${target#*@}) || failed+=" $$target"; \
	done; \
	[ -z "$$failed" ] || { echo "check-all: failed:$$failed" >&2; exit 1; }

.PHONY: $(other_kernels:%=check-on-%)
$(other_kernels:%=check-on-%): check-on-%:
	@scripts/deps modules tools vm check kernel
	@kernel=$$(scripts/kernel $*) && \
		$(submake) modules test-modules KDIR=$$kernel/build && \
		$(submake) tests TEST_KERNEL=$$kernel && \
		$(call ctest,$$kernel,$(if $(filter file,$(origin KERNEL_TESTS)),,part-$$(cksum <<<'$(KERNEL_TESTS)' | cut -d' ' -f1)), \
			--tests-regex '$(KERNEL_TESTS)')

# ctest KERNEL PART OPTIONS: runs tests, and keeps what came of them for the matrix. What parts of the tests said is kept
# beside it until all of them run.
ctest = $(call ctest_in,$(BUILD)/check/$$(cat $(1)/version),$(or $(2),ctest),$(3))

# ctest_in FOLDER NAME OPTIONS: the same, into FOLDER/NAME.xml.
define ctest_in
	mkdir -p $(1) && { \
	$(if $(filter ctest,$(2)),rm -f $(1)/part-*.xml;) \
	ctest --test-dir $(BUILD)/tools --no-tests=error --output-on-failure --parallel $(JOBS) --output-junit $(1)/$(2).xml $(3); \
	status=$$?; tests/matrix/matrix $(BUILD); exit $$status; }
endef

.PHONY: vng
vng: ## The guest tests, a kdump and a vng --dump inside virtme-ng, with Debian's KERNEL or the kernel tree KDIR=…
	@scripts/deps modules tools vm check vng
	@kernel=$(if $(filter file,$(origin KDIR)),$$(scripts/kernel $(vm_kernel)),$$(realpath $(KDIR))) && \
		kdir=$$([ -e $$kernel/build ] && echo $$kernel/build || echo $$kernel) && \
		results=$$(tests/vng/vng_test --kernel $$kernel --build $(BUILD) --print-results) && \
		$(submake) modules test-modules KDIR=$$kdir && \
		$(call configure,-DBALLAST_TESTS=ON -DBALLAST_VNG_KERNEL=$$kernel -DCMAKE_PREFIX_PATH=$$(scripts/catch2)) && \
		cmake --build $(BUILD)/tools --target vng-tests && \
		$(call ctest_in,$$results,vng,--build-config vng --label-regex vng)

.PHONY: kdump-tools
kdump-tools: ## A crash under Debian's kdump-tools, with pmakedumpfile in makedumpfile's place, in a VM with a disk.
	@scripts/deps modules tools vm check trixie
	@kernel=$$(scripts/kernel $(vm_kernel)) && \
		$(call configure,-DBALLAST_TESTS=ON -DBALLAST_KERNEL=$$kernel -DCMAKE_PREFIX_PATH=$$(scripts/catch2)) && \
		cmake --build $(BUILD)/tools --target pmakedumpfile read_dump && \
		$(call ctest_in,$(BUILD)/check/$$(cat $$kernel/version),kdump-tools,--build-config kdump-tools --label-regex kdump-tools)

.PHONY: modules
modules: ## Build the kernel modules: for the running kernel, for KERNEL=6.12 or so, for headers in KDIR=…
	@scripts/deps modules $(if $(KERNEL),kernel)
	@scripts/modules "$(KDIR)"

# Modules that only tests need.
.PHONY: test-modules
test-modules:
	@scripts/deps modules $(if $(KERNEL),kernel)
	@scripts/modules "$(KDIR)" tests/kmod

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
bench: bench-dump bench-cpuacct bench-balloon ## Measure against the peers, side by side.

.PHONY: bench-dump
bench-dump: ## pmakedumpfile against makedumpfile; CORE=FILE takes a core that is there, BENCH='--OPTION…' fewer runs.
	@scripts/deps modules tools vm check
	@$(call configure,-DBALLAST_TESTS=ON -DCMAKE_PREFIX_PATH=$$(scripts/catch2)) && \
		cmake --build $(BUILD)/tools --target pmakedumpfile dump_limit && \
		tests/bench/dump --kernel $$(scripts/kernel $(vm_kernel)) --build $(BUILD) --peer $$(scripts/newest makedumpfile) \
			$(if $(CORE),--core $(CORE)) $(BENCH)

.PHONY: bench-cpuacct
bench-cpuacct: ## What cpuacct.ko costs, in instructions, against no module and v1.
	@scripts/deps modules tools vm check
	@kernel=$$(scripts/kernel $(vm_kernel)) && \
		$(submake) modules KDIR=$$kernel/build && \
		$(call configure,-DBALLAST_TESTS=ON -DCMAKE_PREFIX_PATH=$$(scripts/catch2)) && \
		cmake --build $(BUILD)/tools --target cpuacct_work && \
		tests/bench/cpuacct --kernel $$kernel --build $(BUILD)

.PHONY: bench-balloon
bench-balloon: ## balloon_kvm against virtio_balloon, 2 MiB pages against 4 KiB; BENCH='--OPTION=N…' for fewer runs.
	@scripts/deps modules tools vm check
	@kernel=$$(scripts/kernel $(vm_kernel)) && \
		$(submake) modules KDIR=$$kernel/build && \
		$(call configure,-DBALLAST_TESTS=ON -DCMAKE_PREFIX_PATH=$$(scripts/catch2)) && \
		cmake --build $(BUILD)/tools --target balloon_rates balloon_fragmentation && \
		tests/bench/balloon --kernel $$kernel --build $(BUILD) $(BENCH)

.PHONY: format
format: ## Format the C++ sources.
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

.PHONY: install
install: tools ## Install the programs and man pages under PREFIX (default /usr/local).
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)/tools --prefix $(PREFIX)

.PHONY: clean
clean: ## Remove what was built; the cache of kernels stays.
	rm -rf $(BUILD)
