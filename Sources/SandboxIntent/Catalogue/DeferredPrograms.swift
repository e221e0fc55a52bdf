internal import SandboxModel
internal import SandboxYAML
internal import Synchronization

/// The programs of files that are known to be good, each read when it is first asked for: most sessions start a few of many
/// hundred, and to read all takes longer than to start one.
///
/// A file is cut where a program's key begins, which is two blanks deep; each piece is read as a file of its own.
final class DeferredPrograms: Sendable {
    private struct Piece {
        let file: Int
        let lines: Range<Int>
    }
    struct Content: Sendable {
        var names: [[UInt8]: [Catalogue.Program]] = [:]
        var globs: [(glob: ByteGlob, program: Catalogue.Program)] = []
        var places: [(glob: ByteGlob, program: Catalogue.Program)] = []
    }

    private let files: [(name: String, text: [UInt8])]
    private let pieces: [Piece]
    private let index: Index
    private let globs: [(glob: ByteGlob, piece: Int)]
    private let places: [(glob: ByteGlob, piece: Int)]
    private let read = Mutex<[Int: Content?]>([:])

    /// Nil where a file is not laid out so that it can be cut.
    init?(_ files: [(name: String, text: [UInt8])]) {
        var pieces: [Piece] = [], index = Index(), globs: [(glob: ByteGlob, piece: Int)] = []
        var places: [(glob: ByteGlob, piece: Int)] = []
        for (number, file) in files.enumerated() {
            guard let parts = Self.cut(file.text) else { return nil }
            for part in parts {
                for name in file.text[part.names].split(separator: 0x20) {
                    if name.contains(UInt8(ascii: "/")) {
                        places.append((LevelReader.glob(String(decoding: name, as: UTF8.self)), pieces.count))
                    } else if name.contains(where: { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }) {
                        globs.append((LevelReader.glob(String(decoding: name, as: UTF8.self)), pieces.count))
                    } else {
                        index.add(name, pieces.count)
                    }
                }
                pieces.append(Piece(file: number, lines: part.lines))
            }
        }
        (self.files, self.pieces, self.index, self.globs, self.places) = (files, pieces, index, globs, places)
    }

    /// By the hash of a name, the pieces that speak of it, in the order of the files. Where two names have one hash, a piece is read
    /// for nothing: it says itself which names are its own. A dictionary of names would take longer to make than the files to read.
    private struct Index {
        private var entries: [(hash: UInt64, piece: Int)] = []
        /// Open addressing, at most half full; -1 is free.
        private var slots = [Int](repeating: -1, count: 4096)

        mutating func add(_ name: ArraySlice<UInt8>, _ piece: Int) {
            if entries.count * 2 == slots.count {
                slots = [Int](repeating: -1, count: slots.count * 2)
                for place in entries.indices { link(place) }
            }
            entries.append((Self.hash(name), piece))
            link(entries.count - 1)
        }

        private mutating func link(_ place: Int) {
            var slot = first(entries[place].hash)
            while slots[slot] >= 0 { slot = next(slot) }
            slots[slot] = place
        }

        func pieces(_ name: ArraySlice<UInt8>) -> [Int] {
            let hash = Self.hash(name)
            var found: [Int] = []
            var slot = first(hash)
            while slots[slot] >= 0 {
                let entry = entries[slots[slot]]
                if entry.hash == hash { found.append(entry.piece) }
                slot = next(slot)
            }
            return found
        }

        private func first(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }
        private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }
        /// FNV-1a (RFC 9923).
        private static func hash(_ name: ArraySlice<UInt8>) -> UInt64 {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            return hash
        }
    }

    private static let head = Array("version: 1\nprograms:\n".utf8)

    /// The keys below `programs:`, and the lines that belong to them with their own.
    private static func cut(_ text: [UInt8]) -> [(names: Range<Int>, lines: Range<Int>)]? {
        var parts: [(names: Range<Int>, lines: Range<Int>)] = []
        var start: Int?, names = 0..<0, isInside = false
        var at = 0
        func isText(_ byte: UInt8) -> Bool { byte != 0x20 && byte != UInt8(ascii: "#") && byte != 0x0a }
        let bytes = text.span
        while at < bytes.count {
            var end = at
            while end < bytes.count, bytes[end] != 0x0a { end += 1 }
            // Most lines belong to the program above them.
            if isInside, end - at > 2, bytes[at] == 0x20, bytes[at + 1] == 0x20, !isText(bytes[at + 2]) {
                at = end + 1
                continue
            }
            let line = text[at..<end]
            if isInside, line.count > 2, line[at] == 0x20, line[at + 1] == 0x20 {
                if let start { parts.append((names, start..<at)) }
                // Nothing but names before the colon, so that nothing need be known of quotes.
                guard let colon = line.firstIndex(of: UInt8(ascii: ":")), line[..<colon].allSatisfy({ isPlain($0) }),
                    colon + 1 == end || line[colon + 1] == 0x20
                else { return nil }
                names = at..<colon
                start = at
            } else if let first = line.first, isText(first) {
                if isInside { return nil }
                isInside = line.elementsEqual("programs:".utf8)
                guard isInside || line.elementsEqual("version: 1".utf8) else { return nil }
            } else if line.count > 1, line[at] == 0x20, isText(line[at + 1]) {
                return nil
            }
            at = end + 1
        }
        if let start { parts.append((names, start..<text.count)) }
        return isInside ? parts : nil
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x20,
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "*"), UInt8(ascii: "?"),
            UInt8(ascii: "/"):
            true
        default: false
        }
    }

    /// Nil: a piece could not be read after all.
    func programs(named name: ArraySlice<UInt8>) -> [Catalogue.Program]? {
        var found: [Catalogue.Program] = []
        for place in index.pieces(name) {
            guard let content = content(place) else { return nil }
            for program in content.names[Array(name)] ?? [] { found = program.replaces ? [program] : found + [program] }
        }
        return found
    }

    func programs(matching name: ArraySlice<UInt8>) -> [Catalogue.Program]? {
        for (glob, piece) in globs where glob.matches(name.span) {
            guard let content = content(piece) else { return nil }
            for (glob, program) in content.globs where glob.matches(name.span) { return [program] }
        }
        return []
    }

    func programs(at path: ArraySlice<UInt8>) -> [Catalogue.Program]? {
        for (glob, piece) in places where glob.matches(path.span) {
            return content(piece)?.places.first { $0.glob.matches(path.span) }.map { [$0.program] }
        }
        return nil
    }

    private func content(_ place: Int) -> Content? {
        read.withLock { known in
            if let content = known[place] { return content }
            var builder = CatalogueBuilder()
            let piece = pieces[place], file = files[piece.file]
            builder.read(Self.head + file.text[piece.lines], file: file.name)
            let isGood = !builder.found.contains { $0.severity == .error }
            let content = isGood ? Content(names: builder.names, globs: builder.globs, places: builder.places) : nil
            known[place] = .some(content)
            return content
        }
    }
}
