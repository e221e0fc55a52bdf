/// A glob over bytes, for questions to the trail: `?` is one byte and `*` any number of them, neither
/// crossing a `/`; `**` crosses; `\` takes the next byte as it is.
package struct ByteGlob: Sendable {
    /// A byte that must be there, or one of the three below: numbers, because a million paths are compared.
    private let pieces: [UInt16]
    private static let one: UInt16 = 256
    private static let some: UInt16 = 257
    private static let all: UInt16 = 258

    package init(_ pattern: String) {
        var pieces: [UInt16] = []
        var bytes = Array(pattern.utf8)[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"): pieces.append(UInt16(bytes.popFirst() ?? byte))
            case UInt8(ascii: "?"): pieces.append(ByteGlob.one)
            case UInt8(ascii: "*"):
                var stars = 1
                while bytes.first == byte {
                    bytes.removeFirst()
                    stars += 1
                }
                pieces.append(stars > 1 ? ByteGlob.all : ByteGlob.some)
            default: pieces.append(UInt16(byte))
            }
        }
        self.pieces = pieces
    }

    package func matches(_ text: [UInt8]) -> Bool { matches(text.span) }

    /// True when the pattern is all of `text`. Time is at most |pattern| × |text|: only the last star of each
    /// kind is ever tried again. That suffices: what a `*` before a `**` took never needs to change, and the
    /// reach of a `*` ends at the `/` that the pattern itself names.
    package func matches(_ text: Span<UInt8>) -> Bool {
        let slash = UInt8(ascii: "/")
        var piece = 0
        var place = 0
        // Where to go on after the last star of each kind took one byte more; -1: there was none.
        var (somePiece, somePlace) = (-1, 0)
        var (allPiece, allPlace) = (-1, 0)
        while piece < pieces.count || place < text.count {
            let wanted = piece < pieces.count ? pieces[piece] : UInt16.max
            if wanted == ByteGlob.all {
                piece += 1
                (allPiece, allPlace, somePiece) = (piece, place, -1)
            } else if wanted == ByteGlob.some {
                piece += 1
                (somePiece, somePlace) = (piece, place)
            } else if place < text.count,
                wanted == UInt16(text[place]) || wanted == ByteGlob.one && text[place] != slash
            {
                piece += 1
                place += 1
            } else if somePiece >= 0, somePlace < text.count, text[somePlace] != slash {
                somePlace += 1
                (piece, place) = (somePiece, somePlace)
            } else if allPiece >= 0, allPlace < text.count {
                allPlace += 1
                (piece, place, somePiece) = (allPiece, allPlace, -1)
            } else {
                return false
            }
        }
        return true
    }
}
