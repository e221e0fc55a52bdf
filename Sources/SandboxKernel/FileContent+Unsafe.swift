internal import CShims
internal import Glibc
internal import SandboxModel

extension FileSubject {
    /// The first bytes of the pinned object, or of what has the name in the pinned folder; nil where it cannot be read.
    package func head(_ limit: Int) -> [UInt8]? {
        let path = PathBuffer()
        path.setDescriptor(pin)
        if !name.isEmpty {
            path.append("/")
            path.append(name.bytes)
        }
        let fd = sbx_openat(
            At.workingDirectory, path.base, O_RDONLY | O_NONBLOCK | O_NOCTTY | (name.isEmpty ? 0 : Flag.noFollow) | Flag.closeOnExec, 0)
        guard fd >= 0 else { return nil }
        defer { _ = sbx_close(fd) }
        var bytes = [UInt8](repeating: 0, count: limit)
        var count = 0
        while count < limit {
            let n = bytes.withUnsafeMutableBytes { sbx_pread(fd, $0.baseAddress! + count, limit - count, count) }
            if n == -Int(EINTR) { continue }
            if n < 0 { return nil }
            if n == 0 { break }
            count += n
        }
        return Array(bytes[..<count])
    }
}

package enum ProgramHash {
    /// SHA-256 of the file that runs in the process, as hexadecimal digits; nil where it cannot be read.
    package static func of(_ pid: Int32) -> String? {
        guard let bytes = contents(of: pid, "/exe", limit: 512 << 20) else { return nil }
        return SHA256.hex(SHA256.hash(bytes))
    }

    /// The names of the variables that the process was started with; nil where they cannot be read.
    package static func variables(of pid: Int32) -> [[UInt8]]? {
        guard let all = contents(of: pid, "/environ", limit: 4 << 20) else { return nil }
        return all.split(separator: 0).map { Array($0.prefix { $0 != UInt8(ascii: "=") }) }
    }

    private static func contents(of pid: Int32, _ name: StaticString, limit: Int) -> [UInt8]? {
        let path = PathBuffer()
        path.setProcess(pid, name)
        let fd = sbx_openat(At.workingDirectory, path.base, O_RDONLY | Flag.closeOnExec, 0)
        guard fd >= 0 else { return nil }
        defer { _ = sbx_close(fd) }
        var all: [UInt8] = [], bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let n = bytes.withUnsafeMutableBytes { sbx_read(fd, $0.baseAddress, $0.count) }
            if n == -Int(EINTR) { continue }
            if n < 0 || all.count > limit { return nil }
            if n == 0 { return all }
            all += bytes[..<n]
        }
    }
}
