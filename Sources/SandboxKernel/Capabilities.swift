internal import CShims
internal import Glibc
internal import SandboxDecode

/// What this kernel gives, found out by trying, and what is lost where it does not.
package struct Capability: Sendable {
    package enum State: String, Sendable { case full, partial, none }
    package let name: String
    package let state: State
    package let detail: String
    /// `run` cannot enforce without it.
    package let isRequired: Bool

    package static func probe() -> [Capability] {
        [notification(), syncWakeUp(), tracing(), pidfd(), memory(), openat2(), folders(), knownCalls(), landlock(), processes()]
    }

    /// What may be in the way of a call that the kernel has.
    package static let filtered = "a container's seccomp profile may refuse it"

    private static func capability(_ name: String, _ ok: Bool, required: Bool = true, _ yes: String, _ no: String) -> Capability {
        Capability(name: name, state: ok ? .full : .none, detail: ok ? yes : no, isRequired: required)
    }

    /// A child that installs a filter whose listener really delivers.
    private static func notification() -> Capability {
        capability("seccomp user notification", probed.error == nil, "a call was received and answered", probed.error ?? "")
    }

    private static func syncWakeUp() -> Capability {
        capability(
            "synchronous wake-up", probed.synchronous, required: false, "a judged call costs about one switch there and back",
            "Linux 6.6 has it; without it a judged call costs about five times as much")
    }

    private static func tracing() -> Capability {
        capability("ptrace of own children", probed.error == nil, "PTRACE_SEIZE with EXITKILL", probed.error ?? "")
    }

    private static func pidfd() -> Capability {
        let fd = sbx_pidfd_open(getpid(), 0)
        defer { if fd >= 0 { _ = sbx_close(fd) } }
        let copy = fd < 0 ? fd : sbx_pidfd_getfd(fd, fd)
        defer { if copy >= 0 { _ = sbx_close(copy) } }
        return capability(
            "pidfd_getfd", copy >= 0, "sockets are taken from their owners", "Linux 5.6 has it; " + filtered)
    }

    /// Of ourselves: whether the kernel lets us read a child's as well `probed` has found out.
    private static func memory() -> Capability {
        capability("process_vm_readv", sbx_memory_is_readable(getpid()) == 0, "what programs ask for is read from their memory", filtered)
    }

    private static func folders() -> Capability {
        capability("unshare(CLONE_FS)", sbx_unshare_fs() == 0, "threads have working directories and masks of their own", filtered)
    }

    private static func openat2() -> Capability {
        let fd = sbx_openat2(At.workingDirectory, "/", UInt64(Flag.path | Flag.closeOnExec), 0, Flag.noMagicLinks)
        defer { if fd >= 0 { _ = sbx_close(fd) } }
        return capability("openat2", fd >= 0, "paths are resolved once", "Linux 5.6 has it; " + filtered)
    }

    /// A later kernel may have calls that are in no row of the table.
    private static func knownCalls() -> Capability {
        let known = SystemCall.lookedAtUpTo
        var major: Int32 = 0, minor: Int32 = 0
        sbx_kernel_version(&major, &minor)
        let isKnown = (Int(major), Int(minor)) <= (known.major, known.minor)
        let detail =
            isKnown
            ? "every call of Linux \(major).\(minor) has been looked at"
            : "Linux \(major).\(minor) may have calls that came after \(known.major).\(known.minor) and that nobody has "
                + "looked at: they are refused with ENOSYS, and libraries fall back on older ones"
        return Capability(name: "system calls", state: isKnown ? .full : .partial, detail: detail, isRequired: false)
    }

    private static func landlock() -> Capability {
        let floor = KernelFloor.here
        if floor.abi < 0 {
            let detail =
                "absent: kill(2) is judged one by one, a bound unix socket tells a shorter name, and nothing but the user's own "
                + "rights keeps a racing program from a handle to what processes outside hold open"
            return Capability(name: "Landlock", state: .none, detail: detail, isRequired: false)
        }
        let missing = floor.abi < 6 ? "; no scope for signals (Linux 6.12), so that kill(2) is judged one by one" : ""
        return Capability(
            name: "Landlock", state: floor.abi < 6 ? .partial : .full, detail: floor.description + missing, isRequired: false)
    }

    private static func processes() -> Capability {
        let missing = ProcPath.missing
        return capability("procfs", missing == nil, "mounted on /proc", missing ?? "")
    }

    private struct Probe {
        var error: String?
        var synchronous = false
    }

    private static let probed: Probe = {
        var signals = sbx_signals()
        sbx_signals_capture(&signals)
        let text: ([UInt8]) -> [CChar] = { $0.map { CChar(bitPattern: $0) } + [0] }
        let program = text(Array("/bin/true".utf8))
        let spec = LaunchSpec(program: program, arguments: [program], environment: [], enforces: true, front: getpid(), signals: signals)
        do throws(LaunchError) {
            let l = try Launcher.start(spec)
            kill(l.pid, SIGKILL)
            var status: Int32 = 0
            while sbx_wait_any(&status) == l.pid, status & 0xff == 0x7f {}
            return Probe(error: nil, synchronous: l.synchronous)
        } catch {
            let help = error.help.isEmpty ? "" : "; \(error.help)"
            return Probe(error: "\(error.step): \(String(cString: strerror(error.code)).lowercased())\(help)")
        }
    }()
}
