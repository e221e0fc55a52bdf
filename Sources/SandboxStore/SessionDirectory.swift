internal import Glibc
internal import SandboxFiles
package import SandboxModel

/// `STATE/sessions/<id>/`: the journal's segments, the `session` record, and the `lock` that the live
/// supervisor holds for as long as it lives (flock(2): the kernel lets go of it however the holder ends).
package final class SessionDirectory: Sendable {
    package let id: String
    package let path: String
    let descriptor: Int32
    private let lock: Int32

    private init(id: String, path: String, descriptor: Int32, lock: Int32) {
        self.id = id
        self.path = path
        self.descriptor = descriptor
        self.lock = lock
    }

    deinit {
        close(lock)
        close(descriptor)
    }

    /// Makes the directory of a new session, locked. It is made whole under a hidden name and then renamed, so
    /// that a recovery never meets one that is half made.
    package static func create(_ info: SessionInfo, in state: StateDirectory) throws(StoreError) -> SessionDirectory {
        guard isID(info.id) else { throw .malformed(object: info.id, reason: "it is no session id") }
        let hidden = state.sessions + "/.new-" + info.id
        let path = state.sessions + "/" + info.id
        _ = try check("mkdir", hidden) { mkdir(hidden, 0o700) }
        let directory = try open(hidden, id: info.id, finalPath: path, creating: true)
        guard let directory else { throw .system(call: "flock", object: hidden, errno: EWOULDBLOCK) }
        try directory.write("session", SessionRecord.encode(info))
        // RENAME_NOREPLACE is not needed: rename(2) onto a directory that holds anything fails.
        _ = try check("rename", path) { rename(hidden, path) }
        return directory
    }

    /// Takes over the directory of a session whose supervisor has gone; nil while it lives. With `patiently` it waits for
    /// whoever is just taking the session in.
    static func adopt(_ id: String, in state: StateDirectory, patiently: Bool = false) throws(StoreError) -> SessionDirectory? {
        let path = state.sessions + "/" + id
        do throws(StoreError) {
            return try open(path, id: id, finalPath: path, creating: false, patience: patiently ? 60_000 : 0)
        } catch .system(_, _, ENOENT) {
            return nil  // Its supervisor has just ended and tidied up.
        }
    }

    private static func open(
        _ path: String, id: String, finalPath: String, creating: Bool, patience milliseconds: Int = 0
    ) throws(StoreError) -> SessionDirectory? {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let descriptor = try check("open", path) { Glibc.open(path, flags) }
        let how = O_RDWR | O_NOFOLLOW | O_CLOEXEC | (creating ? O_CREAT | O_EXCL : 0)
        let lock = openat(descriptor, "lock", how, mode_t(0o600))
        if lock < 0 {
            let code = errno
            close(descriptor)
            throw .system(call: "open", object: path + "/lock", errno: code)
        }
        let directory = SessionDirectory(id: id, path: finalPath, descriptor: descriptor, lock: lock)
        var waited = 0
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK else { throw .system(call: "flock", object: path + "/lock", errno: code) }
            guard milliseconds > 0, try directory.hasEnded(), try directory.isThere() else { return nil }
            if waited == milliseconds { throw .system(call: "flock", object: path + "/lock", errno: code) }
            usleep(1000)
            waited += 1
        }
        return try directory.isThere() ? directory : nil
    }

    // MARK: The end

    /// From now on whoever holds the lock takes the session in, and others wait for that. The mark is the length of the lock
    /// file: it takes no space, and is there on a full disk too.
    func markEnded() throws(StoreError) {
        _ = try check("ftruncate", path + "/lock") { ftruncate(lock, 1) }
    }

    private func hasEnded() throws(StoreError) -> Bool { try lockStatus().st_size > 0 }

    /// Whoever had the lock before us may have removed the file while we opened it.
    private func isThere() throws(StoreError) -> Bool { try lockStatus().st_nlink > 0 }

    private func lockStatus() throws(StoreError) -> stat {
        var status = stat()
        _ = try check("fstat", path + "/lock") { fstat(lock, &status) }
        return status
    }

    /// A supervisor holds its lock, and not only to take in what has ended.
    static func isLive(_ id: String, in state: StateDirectory) -> Bool {
        let lock = Glibc.open(state.sessions + "/" + id + "/lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard lock >= 0 else { return errno != ENOENT }
        defer { close(lock) }
        var status = stat()
        if fstat(lock, &status) == 0, status.st_size > 0 { return false }
        return flock(lock, LOCK_SH | LOCK_NB) != 0
    }

    /// The session's record.
    func info() throws(StoreError) -> SessionInfo {
        try SessionRecord.decode(read("session"), from: path + "/session")
    }

    /// Numbers of the segments there are, in order.
    func segments() throws(StoreError) -> [UInt32] {
        try SessionDirectory.names(in: path).compactMap { JournalLayout.segmentNumber($0) }.sorted()
    }

    /// Removes the directory and what was put into it, the socket of a killed supervisor among it. The lock goes last: until
    /// then nobody adopts it.
    func remove() throws(StoreError) {
        for number in try segments() { unlinkat(descriptor, JournalLayout.segmentName(number), 0) }
        for name in ["control", "labels", "session", "lock"] { unlinkat(descriptor, name, 0) }
        _ = try check("rmdir", path) { rmdir(path) }
    }

    /// The sessions that have a directory: the live ones, and those whose supervisor was killed.
    package static func all(in state: StateDirectory) throws(StoreError) -> [String] {
        try names(in: state.sessions).filter(isID).sorted()
    }

    /// `s-` and letters and digits: nothing that could lead out of the directory.
    static func isID(_ text: String) -> Bool {
        text.hasPrefix("s-") && (3...64).contains(text.utf8.count)
            && text.utf8.dropFirst(2).allSatisfy { byte in
                ("0"..."9").contains(Unicode.Scalar(byte)) || ("A"..."Z").contains(Unicode.Scalar(byte))
                    || ("a"..."z").contains(Unicode.Scalar(byte))
            }
    }

    /// Removes what supervisors left that were killed while they made their directory: hidden ones, unlocked and
    /// older than a minute (one that is being made is locked a moment after it appears).
    static func removeHalfMade(in state: StateDirectory) throws(StoreError) {
        for name in try names(in: state.sessions) where name.hasPrefix(".new-") {
            let path = state.sessions + "/" + name
            var info = stat()
            guard lstat(path, &info) == 0, UInt64(info.st_mtim.tv_sec) + 60 < currentTime() / 1_000_000_000 else {
                continue
            }
            if let directory = try? open(path, id: name, finalPath: path, creating: false) { try? directory.remove() }
            rmdir(path)
        }
    }

    // MARK: Small files

    private func write(_ name: String, _ bytes: [UInt8]) throws(StoreError) {
        let object = path + "/" + name
        let file = try check("open", object) {
            openat(descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(0o600))
        }
        defer { close(file) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw .system(call: "write", object: object, errno: count < 0 ? errno : ENOSPC) }
            written += count
        }
    }

    private func read(_ name: String) throws(StoreError) -> [UInt8] {
        let object = path + "/" + name
        let file = try check("open", object) { openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        // A command line is at most a few megabytes; what is larger is not ours.
        while bytes.count < 8 << 20 {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw .system(call: "read", object: object, errno: errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
        throw .malformed(object: object, reason: "it is larger than 8 MiB")
    }

    package static func names(in path: String) throws(StoreError) -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw .system(call: "opendir", object: path, errno: errno)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) { names.append(DirectoryEntry.name(entry)) }
        return names
    }
}
