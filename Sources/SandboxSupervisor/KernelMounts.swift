internal import SandboxPolicy

/// Where the kernel shows itself as files, beyond `/proc` and `/sys` (proc(5), mountinfo).
enum KernelMounts {
    private static let settings: Set<String> = [
        "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "efivarfs", "configfs", "pstore", "bpf", "binfmt_misc",
        "selinuxfs", "smackfs", "resctrl", "fusectl",
    ]

    static func find() -> [ProtectedPath] {
        guard let bytes = ProfileFiles.contents("/proc/self/mountinfo") else { return [] }
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { place($0) }
    }

    /// `36 35 98:0 /root /place options … - type device …`
    private static func place(_ line: ArraySlice<UInt8>) -> ProtectedPath? {
        let words = line.split(separator: UInt8(ascii: " "))
        guard let mark = words.firstIndex(where: { $0.elementsEqual("-".utf8) }), words.count > mark + 1, mark > 4 else { return nil }
        let type = String(decoding: words[mark + 1], as: UTF8.self), path = unescaped(words[4])
        if settings.contains(type) { return ProtectedPath(path, .changes) }
        // Another procfs would show the supervisor as its `self`.
        let isSecond = type == "proc" && !path.elementsEqual("/proc".utf8) && !path.starts(with: "/proc/".utf8)
        return isSecond ? ProtectedPath(path, .everything) : nil
    }

    /// Blanks and backslashes are written `\ooo`.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var path: [UInt8] = []
        var rest = text
        while let byte = rest.first {
            let digits = rest.dropFirst().prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3 {
                path.append(digits.reduce(0) { $0 &* 8 &+ ($1 &- UInt8(ascii: "0")) })
                rest = rest.dropFirst(4)
            } else {
                path.append(byte)
                rest = rest.dropFirst()
            }
        }
        return path
    }
}
