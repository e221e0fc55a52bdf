/// A glob over bytes, for questions to the trail: `?` is one byte and `*` any number of them, neither
/// crossing a `/`; `**` crosses; `\` takes the next byte as it is.
package struct ByteGlob: Sendable {
    private enum Piece: Sendable, Equatable {
        case literal(UInt8)
        case one, some, all
    }

    private let pieces: [Piece]

    package init(_ pattern: String) {
        var pieces: [Piece] = []
        var bytes = Array(pattern.utf8)[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"): pieces.append(.literal(bytes.popFirst() ?? byte))
            case UInt8(ascii: "?"): pieces.append(.one)
            case UInt8(ascii: "*"):
                var stars = 1
                while bytes.first == byte {
                    bytes.removeFirst()
                    stars += 1
                }
                pieces.append(stars > 1 ? .all : .some)
            default: pieces.append(.literal(byte))
            }
        }
        self.pieces = pieces
    }

    /// True when the pattern is all of `text`. Time is at most |pattern| × |text|: only the last star of each
    /// kind is ever tried again. That suffices: what a `*` before a `**` took never needs to change, and the
    /// reach of a `*` ends at the `/` that the pattern itself names.
    package func matches(_ text: some RandomAccessCollection<UInt8>) -> Bool {
        let count = text.count
        func byte(_ place: Int) -> UInt8 { text[text.index(text.startIndex, offsetBy: place)] }
        var piece = 0
        var place = 0
        var some: (piece: Int, place: Int)?
        var all: (piece: Int, place: Int)?
        while true {
            if piece == pieces.count, place == count { return true }
            if piece < pieces.count {
                switch pieces[piece] {
                case .all:
                    all = (piece + 1, place)
                    some = nil
                    piece += 1
                    continue
                case .some:
                    some = (piece + 1, place)
                    piece += 1
                    continue
                case .one where place < count && byte(place) != UInt8(ascii: "/"),
                    .literal where place < count && pieces[piece] == .literal(byte(place)):
                    piece += 1
                    place += 1
                    continue
                default: break
                }
            }
            if let star = some, star.place < count, byte(star.place) != UInt8(ascii: "/") {
                some = (star.piece, star.place + 1)
                (piece, place) = (star.piece, star.place + 1)
            } else if let star = all, star.place < count {
                all = (star.piece, star.place + 1)
                some = nil
                (piece, place) = (star.piece, star.place + 1)
            } else {
                return false
            }
        }
    }
}
