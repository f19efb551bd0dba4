// SPDX-License-Identifier: GPL-2.0
#include "kdumpfile.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

namespace ballast::peers {

FileDescriptor::~FileDescriptor() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Kdumpfile::Kdumpfile(const std::vector<std::string> &paths) : path_(paths.front()), context_(kdump_new()) {
    std::vector<int> descriptors;
    for (const std::string &path : paths) {
        files_.push_back(std::make_unique<FileDescriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
        descriptors.push_back(files_.back()->get());
        if (descriptors.back() < 0) {
            throw std::system_error(errno, std::generic_category(), path);
        }
    }
    if (!context_) {
        throw std::bad_alloc();
    }
    if (kdump_open_fdset(context_.get(), static_cast<unsigned>(descriptors.size()), descriptors.data()) != KDUMP_OK) {
        fail("open");
    }
    // libkdumpfile sets up the translation of kernel addresses as soon as it knows whose they are.
    if (kdump_set_string_attr(context_.get(), KDUMP_ATTR_OSTYPE, "linux") != KDUMP_OK) {
        fail("translation of kernel addresses");
    }
}

void Kdumpfile::fail(const std::string &what) const {
    const char *message = kdump_get_err(context_.get());
    throw KdumpfileError(fmt::format("{}: {}: {}", path_, what, message != nullptr ? message : "no reason given"));
}

std::uint64_t Kdumpfile::page_size() const {
    kdump_num_t size = 0;
    if (kdump_get_number_attr(context_.get(), KDUMP_ATTR_PAGE_SIZE, &size) != KDUMP_OK) {
        fail("page size");
    }
    return size;
}

std::string Kdumpfile::release() const {
    const char *release = nullptr;
    if (kdump_get_string_attr(context_.get(), "linux.uts.release", &release) != KDUMP_OK) {
        fail("release");
    }
    return release;
}

std::optional<std::string> Kdumpfile::vmcoreinfo(const std::string &key) const {
    // libkdumpfile's keys are split at dots, so vmcoreinfo lines with one in their name are asked through this call.
    char *value = nullptr;
    if (kdump_vmcoreinfo_line(context_.get(), key.c_str(), &value) != KDUMP_OK) {
        kdump_clear_err(context_.get());
        return std::nullopt;
    }
    std::string text(value);
    std::free(value); // NOLINT(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): libkdumpfile says so
    return text;
}

void Kdumpfile::read_page(std::uint64_t pfn, std::span<std::byte> buffer) const {
    read(KDUMP_MACHPHYSADDR, pfn * buffer.size(), buffer);
}

void Kdumpfile::read_kernel(std::uint64_t address, std::span<std::byte> buffer) const {
    read(KDUMP_KVADDR, address, buffer);
}

std::uint64_t Kdumpfile::physical(std::uint64_t address) const {
    addrxlat_ctx_t *context = nullptr;
    addrxlat_sys_t *system = nullptr;
    if (kdump_get_addrxlat(context_.get(), &context, &system) != KDUMP_OK) {
        fail("translation of kernel addresses");
    }
    addrxlat_fulladdr_t place{.addr = address, .as = ADDRXLAT_KVADDR};
    const bool found = addrxlat_fulladdr_conv(&place, ADDRXLAT_MACHPHYSADDR, context, system) == ADDRXLAT_OK;
    const std::string reason = found ? "" : addrxlat_ctx_get_err(context);
    addrxlat_ctx_decref(context);
    addrxlat_sys_decref(system);
    if (!found) {
        throw KdumpfileError(fmt::format("{}: kernel address {:#x}: {}", path_, address, reason));
    }
    return place.addr;
}

std::vector<std::uint64_t> Kdumpfile::stack_pointers() const {
    kdump_num_t cpus = 0;
    if (kdump_get_number_attr(context_.get(), KDUMP_ATTR_NUM_CPUS, &cpus) != KDUMP_OK) {
        fail("number of CPUs");
    }
    std::vector<std::uint64_t> pointers;
    for (kdump_num_t cpu = 0; cpu < cpus; cpu++) {
        kdump_num_t pointer = 0;
        if (kdump_get_number_attr(context_.get(), fmt::format("cpu.{}.reg.rsp", cpu).c_str(), &pointer) == KDUMP_OK) {
            pointers.push_back(pointer);
        }
        kdump_clear_err(context_.get());
    }
    return pointers;
}

void Kdumpfile::read(kdump_addrspace_t space, std::uint64_t address, std::span<std::byte> buffer) const {
    std::size_t length = buffer.size();
    if (kdump_read(context_.get(), space, address, buffer.data(), &length) != KDUMP_OK) {
        fail(fmt::format("{} bytes at {} address {:#x}", buffer.size(), space == KDUMP_KVADDR ? "kernel" : "physical",
                         address));
    }
}

} // namespace ballast::peers
