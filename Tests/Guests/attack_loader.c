// A program as another's loader (PT_INTERP, elf(5)): the kernel opens it without asking anybody, and it runs first.
#include "guest.h"
#include <elf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#ifdef __x86_64__
enum { MACHINE = EM_X86_64 };
// Nothing, sixteen bytes long; write(1, "SECRET\n", 7), exit_group(0)
static const unsigned char code[] = "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
                                    "\xb8\x01\x00\x00\x00\xbf\x01\x00\x00\x00\x48\x8d\x35\x13\x00\x00\x00\xba\x07\x00\x00\x00\x0f\x05"
                                    "\xb8\xe7\x00\x00\x00\x31\xff\x0f\x05\x90\x90\x90SECRET\n";
#else
enum { MACHINE = EM_AARCH64 };
static const unsigned char code[] = "\x1f\x20\x03\xd5\x1f\x20\x03\xd5\x1f\x20\x03\xd5\x1f\x20\x03\xd5"
                                    "\x20\x00\x80\xd2\xe1\x00\x00\x10\xe2\x00\x80\xd2\x08\x08\x80\xd2\x01\x00\x00\xd4\x00\x00\x80\xd2"
                                    "\xc8\x0b\x80\xd2\x01\x00\x00\xd4SECRET\n";
#endif
enum { FIXED = 0x400000, ELSEWHERE = 0x10000000 };
struct program { Elf64_Ehdr head; Elf64_Phdr parts[2]; unsigned char code[64]; char loader[PATH_MAX]; };

static void write_program(const char *path, int type, uint64_t base, uint64_t entry, const char *loader) {
    struct program p = {.head = {.e_ident = ELFMAG, .e_type = (Elf64_Half)type, .e_machine = MACHINE, .e_version = 1, .e_entry = entry,
                                 .e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = loader ? 2 : 1}};
    p.head.e_ident[EI_CLASS] = ELFCLASS64, p.head.e_ident[EI_DATA] = ELFDATA2LSB, p.head.e_ident[EI_VERSION] = 1;
    p.parts[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base, .p_filesz = sizeof p, .p_memsz = sizeof p, .p_align = 65536};
    memcpy(p.code, code, sizeof code);
    if (loader) {
        size_t at = offsetof(struct program, loader), length = strlen(loader) + 1;
        memcpy(p.loader, loader, length);
        p.parts[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_flags = PF_R, .p_offset = at, .p_vaddr = base + at, .p_filesz = length, .p_memsz = length, .p_align = 1};
    }
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755);
    if (fd < 0 || write(fd, &p, sizeof p) != sizeof p) die(path);
    close(fd);
}

/// FIXED has an address of its own and needs no loader: then AT_BASE is 0, as if there were none.
int attack_exec_as_loader(int argc, char **argv) {
    const char *fixed = argument(argc, argv, 1);
    char *line[] = {"x", NULL}, linked[PATH_MAX + 8];
    const uint64_t entry = FIXED + offsetof(struct program, code);
    enter_scratch();
    write_program("shared", ET_DYN, 0, offsetof(struct program, code), fixed);
    bool leaked = starts(-1, "./shared", line);
    // Its own entry is where the other's is.
    write_program("same", ET_DYN, 0, entry, fixed), leaked |= starts(-1, "./same", line);
    write_program("elsewhere", ET_EXEC, ELSEWHERE, entry, fixed), leaked |= starts(-1, "./elsewhere", line);
    snprintf(linked, sizeof linked, "%s/link", scratch);
    symlink(fixed, "link"), write_program("by-link", ET_DYN, 0, 0, linked), leaked |= starts(-1, "./by-link", line);
    leave_scratch();
    return verdict(leaked);
}

static bool filter_exit(uint32_t action) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// FIXED, started by somebody who cannot end any more by the usual call: whoever would make it end so does not.
int attack_exec_filtered(int argc, char **argv) {
    const char *fixed = argument(argc, argv, 1);
    const uint32_t actions[] = {SECCOMP_RET_ERRNO, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_TRAP, SECCOMP_RET_TRACE};
    bool leaked = false;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        struct rlimit none = {0, 0};
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
        pid_t child = fork();
        if (child == 0) {
            setrlimit(RLIMIT_CORE, &none);
            dup2(ends[1], 1);
            if (filter_exit(actions[i])) execl(fixed, "x", NULL);
            kill(getpid(), SIGKILL);
        }
        close(ends[1]);
        leaked |= output_has_secret(ends[0]);
        waitpid(child, NULL, 0);
    }
    return verdict(leaked);
}

/// `make-program PATH`: a small one at a fixed address, which prints SECRET.
int tool_make_program(int argc, char **argv) {
    write_program(argument(argc, argv, 1), ET_EXEC, FIXED, FIXED + offsetof(struct program, code), NULL);
    return 0;
}
