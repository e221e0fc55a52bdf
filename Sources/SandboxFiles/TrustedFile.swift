internal import Glibc

/// Why a file is not believed.
package struct TrustedFileFailure: Error {
    package let message: String
    package let help: String?
    /// It is there and could be read; who may change it is the trouble.
    package let isRefusal: Bool

    init(_ message: String, help: String? = nil, isRefusal: Bool = false) {
        self.message = message
        self.help = help
        self.isRefusal = isRefusal
    }
}

/// Files that say what is allowed and who is believed: nobody but their owner, root and the owner of this program may be able to
/// change them.
package enum TrustedFile {
    private static let maximumBytes = 1 << 20

    /// The bytes of such a file, or `nil` where there is none. Checked is the file that was opened, not what
    /// the path may lead to a moment later. `isSecret`: nor may others read it.
    package static func read(_ path: String, isSecret: Bool = false) throws(TrustedFileFailure) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("cannot open", path, errno)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure("cannot look at", path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw TrustedFileFailure("`\(path)` is not a file") }
        try checkOwner(status, path)
        if isSecret, status.st_mode & (S_IRGRP | S_IROTH) != 0 {
            throw TrustedFileFailure("`\(path)` can be read by others than its owner", help: "chmod go-r \(path)", isRefusal: true)
        }
        try checkFolder(of: file, path)
        return try contents(file, path)
    }

    private static func failure(_ what: String, _ path: String, _ error: Int32) -> TrustedFileFailure {
        TrustedFileFailure("\(what) `\(path)`: \(String(cString: strerror(error)).lowercased())")
    }

    /// Who could change the program itself need not be kept from its profiles. In a user namespace root's installation belongs
    /// to nobody that has a number there (user_namespaces(7), overflowuid).
    private static let programOwner: uid_t? = {
        var status = stat()
        return stat("/proc/self/exe", &status) == 0 ? status.st_uid : nil
    }()

    private static func checkOwner(_ status: stat, _ path: String) throws(TrustedFileFailure) {
        guard status.st_uid == geteuid() || status.st_uid == 0 || status.st_uid == programOwner else {
            throw TrustedFileFailure(
                "`\(path)` belongs to user \(status.st_uid), who could change it at any time",
                help: "it must belong to you, to root, or to whom this program belongs", isRefusal: true)
        }
        // In a sticky folder such as /tmp, others can neither rename nor replace what is not theirs.
        let isStickyFolder = status.st_mode & S_IFMT == S_IFDIR && status.st_mode & S_ISVTX != 0
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 || isStickyFolder else {
            throw TrustedFileFailure(
                "`\(path)` can be written by others than its owner", help: "chmod go-w \(path)",
                isRefusal: true)
        }
    }

    /// The folder in which the opened file really lies: whoever may write there could put another in its place.
    private static func checkFolder(of file: Int32, _ path: String) throws(TrustedFileFailure) {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/fd/\(file)", &buffer, buffer.count - 1)
        guard count > 0 else { throw failure("cannot resolve", path, errno) }
        let real = buffer.prefix(count).map { UInt8(bitPattern: $0) }
        guard let slash = real.lastIndex(of: UInt8(ascii: "/")) else { throw TrustedFileFailure("cannot resolve `\(path)`") }
        let folder = String(decoding: slash == 0 ? real[...0] : real[..<slash], as: UTF8.self)
        // Not opened: whoever confines itself may read the file alone.
        var status = stat()
        guard stat(folder, &status) == 0 else { throw failure("cannot look at", folder, errno) }
        try checkOwner(status, folder)
    }

    /// Of a file whose owner does not matter; nil where it cannot be read.
    package static func contents(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        do throws(TrustedFileFailure) { return try contents(file, path) } catch { return nil }
    }

    private static func contents(_ file: Int32, _ path: String) throws(TrustedFileFailure) -> [UInt8] {
        // What procfs makes up says that it is empty.
        var status = stat()
        let size = fstat(file, &status) == 0 ? status.st_size : 0
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(max(size + 1, 1 << 13), maximumBytes + 1))
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot read", path, errno) }
            if count == 0 { return bytes }
            if bytes.isEmpty {
                // All of it, as a rule: not copied once more.
                swap(&bytes, &chunk)
                bytes.removeLast(bytes.count - count)
                chunk = [UInt8](repeating: 0, count: 1 << 12)
            } else {
                bytes += chunk[..<count]
            }
            if bytes.count > maximumBytes { throw TrustedFileFailure("`\(path)` is larger than 1 MiB") }
        }
    }
}
