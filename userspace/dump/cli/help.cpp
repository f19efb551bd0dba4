// SPDX-License-Identifier: GPL-2.0
#include "dump/cli/help.hpp"

#include <fmt/format.h>

namespace ballast::dump {

std::string help_text() {
    return R"(Usage: pmakedumpfile [OPTION]... VMCORE DUMPFILE
       pmakedumpfile --split [OPTION]... VMCORE DUMPFILE1 DUMPFILE2...
       pmakedumpfile -F [OPTION]... VMCORE >FLATTENED
       pmakedumpfile -R DUMPFILE <FLATTENED
       pmakedumpfile --reassemble DUMPFILE1 DUMPFILE2... DUMPFILE
       pmakedumpfile --verify DUMPFILE...
       pmakedumpfile --dump-dmesg [--partial-dmesg] VMCORE LOGFILE
       pmakedumpfile --mem-usage /proc/kcore
       pmakedumpfile -g VMCOREINFO -x VMLINUX
       pmakedumpfile --vtop ADDRESS VMCORE [DUMPFILE]

Writes the crashed kernel's memory, VMCORE (/proc/vmcore, a saved core, QEMU's, or a dump already), to DUMPFILE, without
the pages that are not needed, in parallel.

What goes into it:
  -d LEVEL[,LEVEL...]  leave out pages, the sum of (0 to 31, default 0):
                         1 pages of zeros   2 page cache without private data   4 page cache
                         8 user data       16 free pages
                       the next LEVEL is tried where there is no room for the one before
  -L BYTES             no file of more than that
  -x VMLINUX           the kernel with debug information, for what neither VMCOREINFO nor its BTF tells
  --config FILE        erase what FILE names in the language of makedumpfile.conf(5)
  -i VMCOREINFO        a text to use for the core's own VMCOREINFO

How it is written:
  -c, -l, -p, -z       compress each page with zlib, lzo, snappy, zstd; without any of them nothing is compressed
  --zstd-level N       instead of 1
  --dedup[=MIB]        pages with the same content share their data; a table of MIB (default 16) finds them
  -E                   as ELF, not kdump-compressed
  -F                   flattened, to standard output; -R restores the file from there
  --split              into several files; --reassemble makes one of them
  --splitblock-size N  which begin at multiples of N KiB of pages
  -f                   overwrite DUMPFILE
  --dry-run            do all but write DUMPFILE
  --num-threads N      threads; 0, and the default: one for each CPU that can be used
  --non-mmap           read VMCORE, don't map it

What is said:
  --dump-dmesg         write the kernel's log; --partial-dmesg: since it was last cleared
  -g VMCOREINFO        write such a text, made of VMLINUX, for -i
  --mem-usage          print how many pages of each kind the running kernel has
  --vtop ADDRESS       print where the kernel's virtual ADDRESS is in physical memory
  --verify             read each page of a dump; say what is damaged or missing
  --message-level N    print, the sum of (0 to 31, default 7):
                         1 progress   2 common messages   4 errors   8 debugging messages   16 a report
  --progress=json      progress as lines of JSON on standard error
  --show-stats         print the report
  --stats=json         print it as JSON on standard output, nothing else there
  -D                   print debugging messages
  --check-params       check the command line, and no more
  -h, --help           print this
  -v                   print the version

-b, -e, --cyclic-buffer, --work-dir are taken and change nothing.

Exit status: 0 done, 1 failed, 2 VMLINUX or VMCOREINFO of another kernel. pmakedumpfile(8) says more.
)";
}

std::string version_text() {
    return fmt::format("pmakedumpfile: version {}\nlzo\tenabled\nsnappy\tenabled\nzstd\tenabled\n", BALLAST_VERSION);
}

} // namespace ballast::dump
