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
package final class FileLabels: Sendable {
    private struct Key: Hashable {
        let device, inode: UInt64
    }
    private struct Known {
        var labels: [Key: [FileLabel]] = [:]
        /// Bytes of the file that have been read, up to the end of a line.
        var size: Int = 0
    }
    private static let mostNames = 256
    private let path: String
    private let file: Int32
    private let turn = Mutex(())
    private let known = Mutex(Known())

    package init(in state: StateDirectory) throws(StoreError) {
        path = state.path + "/labels"
        file = try check("open", path) { [state] in
            openat(state.descriptor, "labels", O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        }
    }

    deinit { close(file) }

    /// While `body` runs no other session does the same.
    package func alone<R>(_ body: () -> R) -> R {
        turn.withLock { _ in
            while flock(file, LOCK_EX) != 0, errno == EINTR {}
            defer { flock(file, LOCK_UN) }
            return body()
        }
    }

    /// False where it could not be written. `eachPath`: one for each name that it came of.
    package func add(_ label: FileLabel, eachPath: Bool) -> Bool {
        let key = Key(device: label.device, inode: label.inode)
        return known.withLock { known in
            readMore(&known)
            let isKnown = known.labels[key]?.contains { one in
                one.name == label.name && one.born == label.born && (!eachPath || one.path == label.path)
            }
            if isKnown == true { return true }
            var label = label
            // Nobody looks for all of these names each time: from then on it counts for good.
            if eachPath, known.labels[key]?.count ?? 0 >= FileLabels.mostNames { label.path = [] }
            let line = FileLabels.line(label)
            // With a line's end before it: what another writer has left half done is no part of it.
            guard write(file, line, line.count) == line.count else { return false }
            readMore(&known)
            return true
        }
    }

    package func of(device: UInt64, inode: UInt64) -> [FileLabel] {
        known.withLock { known in
            readMore(&known)
            return known.labels[Key(device: device, inode: inode)] ?? []
        }
    }

    /// There are none at all.
    package var isEmpty: Bool {
        known.withLock { known in
            readMore(&known)
            return known.labels.isEmpty
        }
    }

    private func readMore(_ known: inout Known) {
        var st = stat()
        guard fstat(file, &st) == 0, Int(st.st_size) > known.size else { return }
        var bytes = [UInt8](repeating: 0, count: Int(st.st_size) - known.size)
        let n = pread(file, &bytes, bytes.count, off_t(known.size))
        guard n > 0, let end = bytes[..<n].lastIndex(of: UInt8(ascii: "\n")) else { return }
        known.size += end + 1
        for line in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
            guard let label = FileLabels.label(line) else { continue }
            known.labels[Key(device: label.device, inode: label.inode), default: []].append(label)
        }
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
