internal import Glibc
internal import SandboxIntent
internal import SandboxKernel

/// What a program that stands at its exec event has besides its arguments.
enum StartedWith {
    /// Arguments and environment are no longer than that: three quarters of 8 MiB (execve(2)).
    private static let longest = 6 << 20

    /// As the kernel has put it there; its own changes are still to come (proc(5), environ).
    static func variable(_ name: String, _ caller: Caller) -> String? {
        let start = Array((name + "=").utf8)
        let environment = ControlSocket.bytes(file: "/proc/\(caller.pid)/environ", limit: longest)
        let line = environment.split(separator: 0).first { $0.starts(with: start) }
        return line.map { String(decoding: $0.dropFirst(start.count), as: UTF8.self) }
    }

    static func input(_ place: StatementSource.Place, _ caller: Caller) -> CommandReader.Input {
        switch place {
        case .text(let text): .text(text)
        // Between our look and the client's it could be another.
        case .file: .unknown
        case .standardInput: isTerminal(caller) ? .nothing : .unknown
        }
    }

    /// What people type goes to the guards. Nothing comes from the null device.
    private static func isTerminal(_ caller: Caller) -> Bool {
        var status = stat()
        guard stat("/proc/\(caller.pid)/fd/0", &status) == 0, status.st_mode & S_IFMT == S_IFCHR else { return false }
        let major = UInt64(status.st_rdev) >> 8 & 0xfff
        return (136...143).contains(major) || major == 4 || UInt64(status.st_rdev) == 0x103
    }
}
