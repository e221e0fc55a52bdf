import SandboxDecode
import Testing

/// A question to a name service is one name and nothing else, or it is not known what it is.
@Suite struct NameQuestionTests {
    private static let head: [UInt8] = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    private static let name: [UInt8] = [3] + Array("wWw".utf8) + [7] + Array("example".utf8) + [0]
    private static let address: [UInt8] = [0, 1, 0, 1]
    private static let extended: [UInt8] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]

    private static func with(_ i: Int, _ value: UInt8) -> [UInt8] {
        var bytes = head + name + address
        bytes[i] = value
        return bytes
    }

    @Test func oneName() {
        #expect(NameQuestion(Self.head + Self.name + Self.address)?.name == "www.example")
        var more = Self.with(11, 1)
        more += Self.extended
        #expect(NameQuestion(more)?.name == "www.example")
    }

    static let others: [[UInt8]] = [
        [], head, head + name, head + name + address + [0], head + name + address + Array("SECRET".utf8),
        // Several questions, answers, an authority, a response, another kind of query, bits that mean nothing.
        with(5, 2), with(7, 1), with(9, 1), with(2, 0x81), with(2, 0x29), with(3, 1), with(11, 2), with(11, 1),
        // A label that points elsewhere, one that does not end, one of bytes that are no name; another class; another kind.
        with(12, 0xc0), with(12, 60), with(13, 0x20), with(13, 0x80), with(27, 3), with(25, 10), head + [0] + address,
        // Options.
        with(11, 1) + [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 6] + Array("SECRET".utf8), with(11, 1) + [0, 0, 41, 4, 208, 0, 0, 0, 1, 0, 0],
    ]

    @Test(arguments: others) func anythingElse(_ message: [UInt8]) { #expect(NameQuestion(message) == nil) }

    @Test func services() {
        #expect(NameQuestion.isService(port: 53) && !NameQuestion.isService(port: 443))
        #expect(NameQuestion.isService(socket: Array("/run/nscd/socket".utf8)))
        #expect(NameQuestion.isService(socket: Array("/var/run/nscd/socket".utf8)))
        #expect(!NameQuestion.isService(socket: Array("/run/app.sock".utf8)))
    }
}
