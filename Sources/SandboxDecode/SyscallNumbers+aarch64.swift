#if arch(arm64)
    /// System call numbers of aarch64 (`include/uapi/asm-generic/unistd.h`).
    package enum SyscallNumbers {
        package static func trapped(_ number: Int32) -> Trapped? {
            switch number {
            case 0: .ioSetup
            case 5: .setxattr
            case 6: .lsetxattr
            case 7: .fsetxattr
            case 14: .removexattr
            case 15: .lremovexattr
            case 16: .fremovexattr
            case 30: .ioprioSet
            case 33: .mknodat
            case 34: .mkdirat
            case 35: .unlinkat
            case 36: .symlinkat
            case 37: .linkat
            case 38: .renameat
            case 45: .truncate
            case 52: .fchmod
            case 53: .fchmodat
            case 54: .fchownat
            case 55: .fchown
            case 56: .openat
            case 88: .utimensat
            case 91: .capset
            case 92: .personality
            case 97: .unshare
            case 167: .prctl
            case 220: .clone
            case 436: .closeRange
            case 118: .schedSetparam
            case 119: .schedSetscheduler
            case 122: .schedSetaffinity
            case 129: .kill
            case 130: .tkill
            case 131: .tgkill
            case 138: .rtSigqueueinfo
            case 140: .setpriority
            case 143: .setregid
            case 144: .setgid
            case 145: .setreuid
            case 146: .setuid
            case 147: .setresuid
            case 149: .setresgid
            case 151: .setfsuid
            case 152: .setfsgid
            case 159: .setgroups
            case 200: .bind
            case 201: .listen
            case 203: .connect
            case 206: .sendto
            case 211: .sendmsg
            case 240: .rtTgsigqueueinfo
            case 261: .prlimit64
            case 269: .sendmmsg
            case 274: .schedSetattr
            case 276: .renameat2
            case 424: .pidfdSendSignal
            case 437: .openat2
            case 452: .fchmodat2
            case 25: .fcntl
            default: nil
            }
        }

        package static let execve: Int64 = 221
        package static let execveat: Int64 = 281
    }
#endif
