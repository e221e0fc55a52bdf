internal import Glibc
internal import SandboxModel
internal import Synchronization

/// A class of data that a file carries, whatever it is called by now, and how it came there.
package struct FileLabel: Sendable, Hashable {
    package var device: UInt64
    package var inode: UInt64
    /// When the file was made, nanoseconds since 1970; 0 where the file system does not say. A number comes round again, with
    /// another time.
    package var born: UInt64
    package var name: String
    package var time: UInt64
    package var session: String
    package var path: [UInt8]
    /// One line a step, the beginning first.
    package var why: String

    package init(device: UInt64, inode: UInt64, born: UInt64, name: String, time: UInt64, session: String, path: [UInt8], why: String) {
        (self.device, self.inode, self.born, self.name) = (device, inode, born, name)
        (self.time, self.session, self.path, self.why) = (time, session, path, why)
    }
}

/// The labels of files, of all sessions of a state folder: one line each in `labels`, written before the call is answered that it
/// comes of, and seen by every other session at once.
///
/// A file that has grown by lines that say nothing any more is written anew beside the old one and takes its name. Who still has the
/// old one open sees that it has no name any more. Writers hold a shared lock (flock(2)) on the file that they write to, and whoever
/// writes it anew an exclusive one, so that no line is added to a file that was read to its end.
package final class FileLabels: Sendable {
    private struct Key: Hashable {
        let device, inode: UInt64
    }
    private struct Known {
        let file: Int32
        var labels: [Key: [FileLabel]] = [:]
        /// Bytes of the file that have been read, up to the end of a line, and how many lines these were.
        var size = 0
        var lines = 0
        /// How many of them count.
        var count = 0
        /// With fewer lines it is not written anew.
        var fewLines: Int
    }
    private static let mostNames = 256
    private let state: StateDirectory
    private let known: Mutex<Known>
    private let fewLines: Int
    /// Locked by the session whose turn it is, in a file that is never replaced.
    private let turns: Mutex<Int32>

    package init(in state: StateDirectory, fewLines: Int = 4096) throws(StoreError) {
        self.state = state
        self.fewLines = fewLines
        known = Mutex(Known(file: try FileLabels.open(state, "labels", O_RDWR | O_APPEND | O_CREAT), fewLines: fewLines))
        turns = Mutex(try FileLabels.open(state, "labels.turn", O_RDWR | O_CREAT))
    }

    deinit {
        known.withLock { _ = close($0.file) }
        turns.withLock { _ = close($0) }
    }

    private static func open(_ state: StateDirectory, _ name: String, _ flags: Int32) throws(StoreError) -> Int32 {
        try check("open", state.path + "/" + name) { openat(state.descriptor, name, flags | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600)) }
    }

    /// While `body` runs no other session does the same.
    package func alone<R>(_ body: () -> R) -> R {
        turns.withLock { turns in
            while flock(turns, LOCK_EX) != 0, errno == EINTR {}
            defer { flock(turns, LOCK_UN) }
            return body()
        }
    }

    /// False where it could not be written. `eachPath`: one for each name that it came of.
    package func add(_ label: FileLabel, eachPath: Bool = false) -> Bool {
        let key = Key(device: label.device, inode: label.inode)
        return known.withLock { known in
            guard lock(&known) else { return false }
            let isKnown =
                known.labels[key]?.contains { one in
                    one.name == label.name && one.born == label.born && (!eachPath || one.path == label.path)
                } == true
            var label = label
            // Nobody looks for all of these names each time: from then on it counts for good.
            if eachPath, known.labels[key]?.count ?? 0 >= FileLabels.mostNames { label.path = [] }
            let line = FileLabels.line(label)
            // With a line's end before it: what another writer has left half done is no part of it.
            let isWritten = isKnown || write(known.file, line, line.count) == line.count
            readMore(&known)
            flock(known.file, LOCK_UN)
            if isWritten, !isKnown { compact(&known) }
            return isWritten
        }
    }

    package func of(device: UInt64, inode: UInt64) -> [FileLabel] {
        known.withLock { known in
            refresh(&known)
            return known.labels[Key(device: device, inode: inode)] ?? []
        }
    }

    /// There are none at all.
    package var isEmpty: Bool {
        known.withLock { known in
            refresh(&known)
            return known.labels.isEmpty
        }
    }

    // MARK: Reading

    private func refresh(_ known: inout Known) {
        if !readMore(&known), reopen(&known) { readMore(&known) }
    }

    /// False where the file has been replaced by another.
    @discardableResult
    private func readMore(_ known: inout Known) -> Bool {
        var st = stat()
        guard fstat(known.file, &st) == 0 else { return true }
        if Int(st.st_size) > known.size { read(upTo: Int(st.st_size), &known) }
        return st.st_nlink > 0
    }

    private func read(upTo size: Int, _ known: inout Known) {
        var bytes = [UInt8](repeating: 0, count: size - known.size)
        let n = pread(known.file, &bytes, bytes.count, off_t(known.size))
        guard n > 0, let end = bytes[..<n].lastIndex(of: UInt8(ascii: "\n")) else { return }
        known.size += end + 1
        for line in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
            known.lines += 1
            if let label = FileLabels.label(line) { take(label, &known) }
        }
    }

    /// A number that has come round again is another file's, and what the earlier one carried is gone with it. That is certain
    /// only where the later line has the later birth: a clock may have been put back, or two sessions may have been at it.
    private func take(_ label: FileLabel, _ known: inout Known) {
        let key = Key(device: label.device, inode: label.inode)
        var labels = known.labels[key] ?? []
        if labels.contains(where: { $0.name == label.name && $0.born == label.born && $0.path == label.path }) { return }
        known.count -= labels.count
        labels.removeAll { $0.born != 0 && $0.born < label.born }
        labels.append(label)
        known.count += labels.count
        known.labels[key] = labels
    }

    private func hasOneName(_ file: Int32) -> Bool {
        var st = stat()
        return fstat(file, &st) == 0 && st.st_nlink == 1
    }

    private func reopen(_ known: inout Known) -> Bool {
        do throws(StoreError) {
            let file = try FileLabels.open(state, "labels", O_RDWR | O_APPEND)
            close(known.file)
            known = Known(file: file, fewLines: fewLines)
            return true
        } catch { return false }
    }

    // MARK: Writing anew

    /// The file that goes by the name now, read, and held against whoever would write it anew, which takes moments: who cannot have
    /// it within two seconds goes without.
    private func lock(_ known: inout Known) -> Bool {
        for _ in 0..<2000 {
            if flock(known.file, LOCK_SH | LOCK_NB) != 0 {
                usleep(1000)
                continue
            }
            if readMore(&known) { return true }
            flock(known.file, LOCK_UN)
            if !reopen(&known) { return false }
        }
        return false
    }

    /// Where half of the lines say nothing. What goes wrong leaves the old file as it is.
    private func compact(_ known: inout Known) {
        guard known.lines >= known.fewLines, known.lines > 2 * known.count, flock(known.file, LOCK_EX | LOCK_NB) == 0 else { return }
        defer { flock(known.file, LOCK_UN) }
        // Where it fails, not with each line again. With a second name (a backup) nobody could tell that it was replaced.
        known.fewLines = 2 * known.lines
        guard readMore(&known), hasOneName(known.file), let new = try? FileLabels.open(state, "labels.new", O_WRONLY | O_CREAT | O_TRUNC)
        else { return }
        defer { close(new) }
        // Those of one number stay in their order.
        let lines = known.labels.values.joined().flatMap(FileLabels.line)
        // Nobody sees it under its name before all of it is on the disk.
        guard write(new, lines, lines.count) == lines.count, fsync(new) == 0,
            renameat(state.descriptor, "labels.new", state.descriptor, "labels") == 0
        else { return }
        fsync(state.descriptor)
    }

    // MARK: Lines

    private static func line(_ l: FileLabel) -> [UInt8] {
        let numbers = [l.device, l.inode, l.born, l.time].map { Array(String($0).utf8) }
        let texts = [Array(l.name.utf8), Array(l.session.utf8), l.path, Array(l.why.utf8)].map(escaped)
        return [UInt8(ascii: "\n")] + Array((numbers + texts).joined(separator: [UInt8(ascii: "\t")])) + [UInt8(ascii: "\n")]
    }

    private static func label(_ line: ArraySlice<UInt8>) -> FileLabel? {
        let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        guard fields.count == 8 else { return nil }
        let numbers = fields[..<4].compactMap { UInt64(String(decoding: $0, as: UTF8.self)) }
        guard numbers.count == 4 else { return nil }
        let texts = fields[4...].map(unescaped)
        return FileLabel(
            device: numbers[0], inode: numbers[1], born: numbers[2], name: String(decoding: texts[0], as: UTF8.self), time: numbers[3],
            session: String(decoding: texts[1], as: UTF8.self), path: texts[2], why: String(decoding: texts[3], as: UTF8.self))
    }

    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        for b in bytes {
            switch b {
            case UInt8(ascii: "\n"): out += Array("\\n".utf8)
            case UInt8(ascii: "\t"): out += Array("\\t".utf8)
            case UInt8(ascii: "\\"): out += Array("\\\\".utf8)
            default: out.append(b)
            }
        }
        return out
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        var isEscape = false
        for b in bytes {
            if isEscape {
                out.append(b == UInt8(ascii: "n") ? UInt8(ascii: "\n") : b == UInt8(ascii: "t") ? UInt8(ascii: "\t") : b)
                isEscape = false
            } else if b == UInt8(ascii: "\\") {
                isEscape = true
            } else {
                out.append(b)
            }
        }
        return out
    }
}
