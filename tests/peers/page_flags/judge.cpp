// SPDX-License-Identifier: GPL-2.0
#include "judge.hpp"

#include "../dump_file.hpp"
#include "../kdumpfile.hpp"
#include "copy.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <regex>
#include <span>
#include <stdexcept>
#include <string_view>
#include <sys/mman.h>

namespace ballast::peers {

namespace {

constexpr std::size_t flags_per_page = std::tuple_size_v<decltype(PageFlagsCopy::flags)>;

/** A file mapped for reading. */
class Mapped {
  public:
    explicit Mapped(const std::string &path) : size_(std::filesystem::file_size(path)) {
        const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        address_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
        if (address_ == MAP_FAILED) {
            throw std::runtime_error("can't map " + path);
        }
    }
    Mapped(const Mapped &) = delete;
    Mapped(Mapped &&) = delete;
    Mapped &operator=(const Mapped &) = delete;
    Mapped &operator=(Mapped &&) = delete;
    ~Mapped() { ::munmap(address_, size_); }

    [[nodiscard]] std::span<const std::byte> bytes() const { return {static_cast<const std::byte *>(address_), size_}; }

  private:
    std::size_t size_;
    void *address_ = nullptr;
};

/** The dump level's bits that leave a page out; `always` for those that no level keeps. */
namespace left_out_by {
constexpr unsigned nothing = 0;
constexpr unsigned cache = 2 | 4;
constexpr unsigned cache_private = 4;
constexpr unsigned user = 8;
constexpr unsigned free = 16;
constexpr unsigned always = 32;
} // namespace left_out_by

struct Kind {
    std::string name;
    unsigned left_out_by = left_out_by::nothing;
};

/** What a page is; `flags` are those of its compound page's head. */
Kind kind_of(std::uint64_t flags) {
    const bool is_large = (flags & kpf::compound_head) != 0;
    const auto sized = [is_large](const std::string &name) { return is_large ? name + ", large" : name; };
    // Each is told by the kernel in words; whatever else stands in struct page then means something else.
    if ((flags & kpf::buddy) != 0) {
        return {"free", left_out_by::free | ((flags & kpf::hwpoison) != 0 ? left_out_by::always : 0U)};
    }
    if ((flags & kpf::offline) != 0) {
        return {"offline", left_out_by::always};
    }
    if ((flags & kpf::slab) != 0) {
        return {sized("slab")};
    }
    Kind kind{sized("the kernel's")};
    if ((flags & kpf::huge) != 0) {
        kind = {"hugetlb", left_out_by::user};
    } else if ((flags & kpf::anonymous) != 0) { // or merged (KSM), which 6.12 says of all of them
        const bool is_swapcache = (flags & kpf::swapcache) != 0;
        kind = {sized(is_swapcache ? "anonymous in the swap cache" : "anonymous"), left_out_by::user};
    } else if ((flags & kpf::lru) != 0 || (flags & kpf::swapcache) != 0) {
        const bool is_private = (flags & kpf::private_data) != 0;
        const bool is_swapcache = (flags & kpf::swapcache) != 0;
        kind = {sized(is_private     ? "cache with private data"
                      : is_swapcache ? "cache in the swap cache"
                                     : "cache"),
                is_private ? left_out_by::cache_private : left_out_by::cache};
    } else if ((flags & kpf::page_table) != 0) {
        kind = {"page table"};
    } else if ((flags & kpf::reserved) != 0) {
        kind = {"reserved"};
    }
    if ((flags & kpf::hwpoison) != 0) {
        kind.name += ", broken";
        kind.left_out_by |= left_out_by::always;
    }
    return kind;
}

/** The page at a PT_LOAD's end that isn't whole, which no dump has. */
void forget_partial_pages(std::span<const std::byte> core, PageFlags &flags) {
    Elf64_Ehdr header{};
    std::memcpy(&header, core.data(), sizeof header);
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment{};
        std::memcpy(&segment, &core[header.e_phoff + i * sizeof segment], sizeof segment);
        const std::uint64_t end = segment.p_paddr + segment.p_filesz;
        if (segment.p_type == PT_LOAD && end % sizeof(PageFlagsCopy) != 0 &&
            end / sizeof(PageFlagsCopy) < flags.size()) {
            flags[end / sizeof(PageFlagsCopy)] = kpf::no_page;
        }
    }
}

/** The lines of VMCOREINFO that describe layouts. */
const std::regex &layout_line() {
    static const std::regex pattern(
        R"((OFFSET\((page|folio|mem_section|zone|pglist_data|free_area|list_head)\.[^)]*\)|)"
        R"(SIZE\((page|mem_section|zone|pglist_data|free_area|list_head|nodemask_t)\)|LENGTH\((zone\.free_area|)"
        R"(free_area\.free_list)\)|NUMBER\((PG_\w+|PAGE_\w+|HUGETLB_PAGE_DTOR|NR_FREE_PAGES)\))=.*)");
    return pattern;
}

/** A core's beginning, where its notes are. */
std::string read_head(std::istream &file) {
    std::string head(std::size_t{64} * 1024, '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    return head;
}

/** Names lines of VMCOREINFO otherwise, so that nobody knows them. How many. */
std::size_t forget_lines(const std::string &core, const std::regex &pattern) {
    std::fstream file(core, std::ios::in | std::ios::out | std::ios::binary);
    std::string head = read_head(file);
    std::size_t forgotten = 0;
    std::size_t begin = head.find("OSRELEASE=");
    while (begin < head.size() && head[begin] != '\0') {
        const std::size_t end = head.find('\n', begin);
        if (std::regex_match(head.substr(begin, end - begin), pattern)) {
            head[begin] = '-';
            forgotten++;
        }
        begin = end + 1;
    }
    file.seekp(0);
    file.write(head.data(), static_cast<std::streamsize>(head.size()));
    file.close();
    return file ? forgotten : 0;
}

} // namespace

PageFlags page_flags_in(const std::string &core) {
    const Mapped mapped(core);
    std::uint64_t newest = 0;
    std::vector<const PageFlagsCopy *> pages;
    for (std::size_t offset = 0; offset + sizeof(PageFlagsCopy) <= mapped.bytes().size();
         offset += sizeof(PageFlagsCopy)) {
        const auto *page = reinterpret_cast<const PageFlagsCopy *>(&mapped.bytes()[offset]);
        if (page->magic == PageFlagsCopy::magic_value) {
            pages.push_back(page);
            newest = std::max(newest, page->generation);
        }
    }
    PageFlags flags;
    std::uint64_t found = 0;
    for (const PageFlagsCopy *page : pages) {
        if (page->generation == newest) {
            flags.resize(page->pages);
            const std::uint64_t count = std::min<std::uint64_t>(flags_per_page, page->pages - page->first_pfn);
            std::copy_n(page->flags.begin(), count, flags.begin() + static_cast<std::ptrdiff_t>(page->first_pfn));
            found += count;
        }
    }
    if (found == 0 || found != flags.size()) {
        throw std::runtime_error(
            fmt::format("{}: /proc/kpageflags' copy has {} of {} pages", core, found, flags.size()));
    }
    forget_partial_pages(mapped.bytes(), flags);
    return flags;
}

Judgement judge(const PageFlags &flags, const std::string &dump) {
    const DumpFile file(dump);
    const unsigned level = file.header().dump_level;
    Judgement judgement;
    std::uint64_t head = 0;
    for (std::uint64_t pfn = 0; pfn < file.header().max_pfn; ++pfn) {
        const std::uint64_t own = pfn < flags.size() ? flags[pfn] : kpf::no_page;
        if ((own & kpf::compound_tail) == 0) {
            head = own;
        }
        if (!file.present(pfn) || (own & kpf::no_page) != 0) {
            continue;
        }
        const Kind kind = kind_of(head);
        const bool kept = file.dumped(pfn);
        KindCount &count = judgement.kinds[kind.name];
        count.pages++;
        count.kept += kept ? 1 : 0;
        const bool should_keep = (kind.left_out_by & (level | left_out_by::always)) == 0;
        if (kept != should_keep) {
            (kept ? judgement.wrongly_kept : judgement.wrongly_dropped).add(pfn);
        }
    }
    return judgement;
}

std::string Judgement::describe(const PageFlags &flags) const {
    std::string text;
    for (const auto &[name, count] : kinds) {
        text += fmt::format("{:40} {:8} pages, {:8} kept\n", name, count.pages, count.kept);
    }
    for (const auto &[what, set] : {std::pair{"wrongly kept", &wrongly_kept}, {"wrongly dropped", &wrongly_dropped}}) {
        text += fmt::format("{}: {}\n", what, set->count());
        constexpr std::size_t shown = 12;
        for (const PfnRange &range : std::span(set->ranges()).first(std::min(shown, set->ranges().size()))) {
            const std::uint64_t word = range.begin < flags.size() ? flags[range.begin] : kpf::no_page;
            text += fmt::format("  {:#x}-{:#x} flags {:#x}\n", range.begin, range.end - 1, word);
        }
    }
    return text;
}

void copy_without_layouts(const std::string &core, const std::string &to) {
    std::filesystem::copy_file(core, to, std::filesystem::copy_options::overwrite_existing);
    if (forget_lines(to, layout_line()) == 0) {
        throw std::runtime_error(core + ": no layouts in its VMCOREINFO, or no room for a copy");
    }
}

void remove_btf(const std::string &core) {
    static const std::regex kallsyms_line(R"(SYMBOL\(kallsyms_\w+\)=.*)");
    forget_lines(core, kallsyms_line);
    // What BTF starts with: magic, version 1, no flags, a header of 24 bytes, the types right behind it.
    constexpr std::array<unsigned char, 12> beginning{0x9f, 0xeb, 1, 0, 24};
    std::vector<std::uint64_t> places;
    {
        const Mapped mapped(core);
        const std::string_view bytes(reinterpret_cast<const char *>(mapped.bytes().data()), mapped.bytes().size());
        const std::string_view wanted(reinterpret_cast<const char *>(beginning.data()), beginning.size());
        for (auto at = bytes.find(wanted); at != std::string_view::npos; at = bytes.find(wanted, at + 1)) {
            places.push_back(at);
        }
    }
    std::fstream file(core, std::ios::in | std::ios::out | std::ios::binary);
    for (const std::uint64_t place : places) {
        file.seekp(static_cast<std::streamoff>(place));
        file.put('-');
    }
    file.close();
    if (!file || places.empty()) {
        throw std::runtime_error(core + ": no BTF in it, or it can't be written");
    }
}

} // namespace ballast::peers
