internal import Glibc
internal import SandboxFiles
internal import SandboxPolicy

/// What is mounted where when the session starts (proc(5), mountinfo). Inside it nothing can be mounted.
struct MountTable: Sendable {
    private struct Mount: Sendable {
        let device: [UInt8]
        /// The folder of the file system that is seen at `place`, both without a slash at the end: the whole of it is empty.
        let root, place: [UInt8]
        let type: String
    }
    private let mounts: [Mount]
    /// Of what is seen at one place alone, most of it, nothing need be looked for.
    private let severalTimes: Set<[UInt8]>
    /// Read once, by whoever asks first.
    static let atStart = MountTable()

    private static let settings: Set<String> = [
        "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "efivarfs", "configfs", "pstore", "bpf", "binfmt_misc",
        "selinuxfs", "smackfs", "resctrl", "fusectl",
    ]

    private init() {
        let lines = (TrustedFile.contents("/proc/self/mountinfo") ?? []).split(separator: UInt8(ascii: "\n"))
        mounts = lines.compactMap { line in
            // 36 35 98:0 /root /place options … - type device …
            let words = line.split(separator: UInt8(ascii: " "))
            guard let mark = words.firstIndex(where: { $0.elementsEqual("-".utf8) }), words.count > mark + 1, mark > 4 else { return nil }
            return Mount(
                device: Array(words[2]), root: MountTable.path(words[3]), place: MountTable.path(words[4]),
                type: String(decoding: words[mark + 1], as: UTF8.self))
        }
        severalTimes = Set(Dictionary(grouping: mounts, by: \.device).filter { $0.value.count > 1 }.keys)
    }

    /// Where the kernel shows itself as files, beyond `/proc` and `/sys`.
    var kernelPlaces: [ProtectedPath] {
        mounts.compactMap { mount in
            if MountTable.settings.contains(mount.type) { return ProtectedPath(mount.place, .changes) }
            // Another procfs would show the supervisor as its `self`.
            let isSecond = mount.type == "proc" && MountTable.rest(of: mount.place, below: Array("/proc".utf8)) == nil
            return isSecond ? ProtectedPath(mount.place, .everything) : nil
        }
    }

    /// The other paths of what lies at `path`, where its file system is mounted more than once, and of what lies below it by some names:
    /// the same for the file systems that are mounted there.
    func others(of path: [UInt8]) -> [(path: [UInt8], below: [[UInt8]])] {
        if severalTimes.isEmpty { return [] }
        // The last one of several at the same place hides the others.
        let around = mounts.reversed().filter { MountTable.rest(of: path, below: $0.place) != nil }
        guard let own = around.max(by: { $0.place.count < $1.place.count }) else { return [] }
        // Containers hide files of the kernel behind /dev/null, which has not become what is denied.
        if own.place == path, MountTable.isNull(path) { return [] }
        let inside = own.root + (MountTable.rest(of: path, below: own.place) ?? [])
        let beneath = mounts.compactMap { mount in
            MountTable.rest(of: mount.place, below: path).flatMap { $0.isEmpty ? nil : (mount.device, mount.root, $0) }
        }
        return ([(own.device, inside, [])] + beneath).flatMap { others(of: $0.1, on: $0.0, at: path + $0.2, names: $0.2) }
    }

    /// Of what is `inside` in a file system and seen at `path`.
    private func others(of inside: [UInt8], on device: [UInt8], at path: [UInt8], names: [UInt8]) -> [(path: [UInt8], below: [[UInt8]])] {
        guard severalTimes.contains(device) else { return [] }
        return mounts.compactMap { mount in
            guard mount.device == device else { return nil }
            if let rest = MountTable.rest(of: inside, below: mount.root) {
                let other = mount.place + rest
                return other == path || other.isEmpty ? nil : (other, MountTable.names(names))
            }
            return MountTable.rest(of: mount.root, below: inside).flatMap { rest in
                mount.place == path + rest ? nil : (mount.place, MountTable.names(names + rest))
            }
        }
    }

    /// null(4)
    private static func isNull(_ path: [UInt8]) -> Bool {
        var status = stat()
        return stat(path.map { CChar(bitPattern: $0) } + [0], &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
            && status.st_rdev == 1 << 8 | 3
    }

    private static func names(_ path: [UInt8]) -> [[UInt8]] { path.split(separator: UInt8(ascii: "/")).map { Array($0) } }

    /// The folder in which a control group of version 2 is seen.
    func folder(ofControlGroup path: [UInt8]) -> [UInt8]? {
        // One above what this namespace shows is seen nowhere.
        if path.starts(with: "/..".utf8) { return nil }
        return mounts.lazy.filter { $0.type == "cgroup2" }.compactMap { mount in
            MountTable.rest(of: path == [UInt8(ascii: "/")] ? [] : path, below: mount.root).map { mount.place + $0 }
        }.first
    }

    /// What follows `folder`, with its slash; nil where the path lies elsewhere.
    private static func rest(of path: [UInt8], below folder: [UInt8]) -> [UInt8]? {
        // Most differ where the folder ends: asked thousands of times by a session that starts.
        guard path.count >= folder.count, folder.isEmpty || path[folder.count - 1] == folder[folder.count - 1], path.starts(with: folder)
        else { return nil }
        let rest = path[folder.count...]
        return rest.isEmpty || rest.first == UInt8(ascii: "/") ? Array(rest) : nil
    }

    /// Blanks and backslashes are written `\ooo`.
    private static func path(_ text: ArraySlice<UInt8>) -> [UInt8] {
        if !text.contains(UInt8(ascii: "\\")) { return text.count == 1 && text.first == UInt8(ascii: "/") ? [] : Array(text) }
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
        return path == [UInt8(ascii: "/")] ? [] : path
    }
}
