internal import SandboxModel
internal import SandboxYAML
internal import Synchronization

/// The programs of files that are known to be good, each read when it is first asked for: most sessions start a few of many
/// hundred, and to read all takes longer than to start one.
///
/// A file is cut where a program's key begins, which is two blanks deep; each piece is read as a file of its own.
final class DeferredPrograms: Sendable {
    private struct Piece {
        let file: String
        let text: [UInt8]
    }
    struct Content: Sendable {
        var names: [[UInt8]: [Catalogue.Program]] = [:]
        var globs: [(glob: ByteGlob, program: Catalogue.Program)] = []
        var places: [(glob: ByteGlob, program: Catalogue.Program)] = []
    }

    private let pieces: [Piece]
    /// By name, the pieces that speak of it, in the order of the files.
    private let index: [[UInt8]: [Int]]
    private let globs: [(glob: ByteGlob, piece: Int)]
    private let places: [(glob: ByteGlob, piece: Int)]
    private let read = Mutex<[Int: Content?]>([:])

    /// Nil where a file is not laid out so that it can be cut.
    init?(_ files: [(name: String, text: [UInt8])]) {
        var pieces: [Piece] = [], index: [[UInt8]: [Int]] = [:], globs: [(glob: ByteGlob, piece: Int)] = []
        var places: [(glob: ByteGlob, piece: Int)] = []
        for file in files {
            guard let parts = Self.cut(file.text) else { return nil }
            for part in parts {
                for name in part.names {
                    if name.contains(UInt8(ascii: "/")) {
                        places.append((LevelReader.glob(String(decoding: name, as: UTF8.self)), pieces.count))
                    } else if name.contains(UInt8(ascii: "*")) || name.contains(UInt8(ascii: "?")) {
                        globs.append((LevelReader.glob(String(decoding: name, as: UTF8.self)), pieces.count))
                    } else {
                        index[name, default: []].append(pieces.count)
                    }
                }
                pieces.append(Piece(file: file.name, text: Self.head + part.text))
            }
        }
        (self.pieces, self.index, self.globs, self.places) = (pieces, index, globs, places)
    }

    private static let head = Array("version: 1\nprograms:\n".utf8)

    /// The keys below `programs:` with what belongs to them.
    private static func cut(_ text: [UInt8]) -> [(names: [[UInt8]], text: ArraySlice<UInt8>)]? {
        var parts: [(names: [[UInt8]], text: ArraySlice<UInt8>)] = []
        var start: Int?, names: [[UInt8]] = [], isInside = false
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
                if let start { parts.append((names, text[start..<at])) }
                // Nothing but names before the colon, so that nothing need be known of quotes.
                guard let colon = line.firstIndex(of: UInt8(ascii: ":")), line[..<colon].allSatisfy({ isPlain($0) }),
                    colon + 1 == end || line[colon + 1] == 0x20
                else { return nil }
                names = line[..<colon].split(separator: 0x20).map(Array.init)
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
        if let start { parts.append((names, text[start...])) }
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
        guard let places = index[Array(name)] else { return [] }
        var found: [Catalogue.Program] = []
        for place in places {
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
            builder.read(pieces[place].text, file: pieces[place].file)
            let isGood = !builder.found.contains { $0.severity == .error }
            let content = isGood ? Content(names: builder.names, globs: builder.globs, places: builder.places) : nil
            known[place] = .some(content)
            return content
        }
    }
}
