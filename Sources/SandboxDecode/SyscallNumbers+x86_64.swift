#if arch(x86_64)
    /// System call numbers of x86_64 (`arch/x86/entry/syscalls/syscall_64.tbl`).
    package enum SyscallNumbers {
        package static func trapped(_ number: Int32) -> Trapped? {
            switch number {
            case 2: .open
            case 42: .connect
            case 44: .sendto
            case 46: .sendmsg
            case 49: .bind
            case 50: .listen
            case 62: .kill
            case 76: .truncate
            case 82: .rename
            case 83: .mkdir
            case 84: .rmdir
            case 85: .creat
            case 86: .link
            case 87: .unlink
            case 88: .symlink
            case 90: .chmod
            case 91: .fchmod
            case 92: .chown
            case 93: .fchown
            case 94: .lchown
            case 105: .setuid
            case 106: .setgid
            case 113: .setreuid
            case 114: .setregid
            case 116: .setgroups
            case 117: .setresuid
            case 119: .setresgid
            case 122: .setfsuid
            case 123: .setfsgid
            case 126: .capset
            case 129: .rtSigqueueinfo
            case 132: .utime
            case 133: .mknod
            case 135: .personality
            case 157: .prctl
            case 141: .setpriority
            case 142: .schedSetparam
            case 144: .schedSetscheduler
            case 188: .setxattr
            case 189: .lsetxattr
            case 190: .fsetxattr
            case 197: .removexattr
            case 198: .lremovexattr
            case 199: .fremovexattr
            case 200: .tkill
            case 203: .schedSetaffinity
            case 234: .tgkill
            case 235: .utimes
            case 251: .ioprioSet
            case 257: .openat
            case 272: .unshare
            case 436: .closeRange
            case 56: .clone
            case 206: .ioSetup
            case 258: .mkdirat
            case 259: .mknodat
            case 260: .fchownat
            case 261: .futimesat
            case 263: .unlinkat
            case 264: .renameat
            case 265: .linkat
            case 266: .symlinkat
            case 268: .fchmodat
            case 280: .utimensat
            case 297: .rtTgsigqueueinfo
            case 302: .prlimit64
            case 307: .sendmmsg
            case 314: .schedSetattr
            case 316: .renameat2
            case 424: .pidfdSendSignal
            case 437: .openat2
            case 452: .fchmodat2
            case 72: .fcntl
            default: nil
            }
        }

        package static let execve: Int64 = 59
        package static let execveat: Int64 = 322
    }
#endif
