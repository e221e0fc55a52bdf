internal import FoundationEssentials
internal import JWTKit
internal import SandboxModel

/// A signed token (RFC 7515, compact serialization), taken apart and not yet believed.
struct Token {
    let algorithm: String
    let keyID: String?
    let payload: [String: JSONValue]
    let issuer: String
    private let signed: Data
    private let signature: Data

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        /// Extensions that must be understood; none is.
        let crit: [String]?
    }

    init(_ bytes: [UInt8]) throws(VerifiedIdentity.Refusal) {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), let body = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .init("the token is no signed JSON Web Token", help: "it is three words of base64url, joined by dots") }
        guard JSONNames.areUnique(header), let fields = try? JSONDecoder().decode(Header.self, from: Data(header)) else {
            throw .init("the token's header is malformed")
        }
        guard fields.crit == nil else { throw .init("the token's header asks for extensions (`crit`), and none is known") }
        guard JSONNames.areUnique(body), let payload = try? JSONDecoder().decode([String: JSONValue].self, from: Data(body)) else {
            throw .init("the token's claims are malformed")
        }
        guard case .text(let issuer)? = payload["iss"] else { throw .init("the token names no issuer (claim `iss`)") }
        (algorithm, keyID, self.payload, self.issuer) = (fields.alg, fields.kid, payload, issuer)
        self.signature = Data(signature)
        signed = Data(bytes[..<parts[1].endIndex])
    }

    func isSigned(by key: any JWTAlgorithm) -> Bool {
        // `alg` of the token was allowed by us; the key's own must be that very one.
        key.name == algorithm && (try? key.verify(signature, signs: signed)) == true
    }
}

/// Of two members of one name a parser takes the first, another the last: RFC 7515 and RFC 7519 want them refused (section 4 of both).
enum JSONNames {
    /// In every object; false as well where it is no object in UTF-8.
    static func areUnique(_ bytes: [UInt8]) -> Bool {
        let isSpace: (UInt8) -> Bool = { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
        guard bytes.first(where: { !isSpace($0) }) == UInt8(ascii: "{"), !bytes.contains(0) else { return false }
        var names: [Set<String>] = [], at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): names.append([])
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = names.popLast()
            case UInt8(ascii: "\""):
                let start = at
                at = end(ofString: bytes, at)
                let isName = bytes[at...].dropFirst().first { !isSpace($0) } == UInt8(ascii: ":")
                guard isName, let last = names.indices.last else { break }
                guard let name = try? JSONDecoder().decode(String.self, from: Data(bytes[start...at])), names[last].insert(name).inserted
                else { return false }
            default: break
            }
            at += 1
        }
        return true
    }

    /// Its last byte: the quote, where there is one.
    private static func end(ofString bytes: [UInt8], _ start: Int) -> Int {
        var at = start + 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(at, bytes.count - 1)
    }
}

/// As much of JSON as claims are made of.
enum JSONValue: Decodable {
    case text(String)
    case number(Double)
    case texts([String])
    case members([String: JSONValue])
    case other

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let texts = try? value.decode([String].self) {
            self = .texts(texts)
        } else if let members = try? value.decode([String: JSONValue].self) {
            self = .members(members)
        } else {
            self = .other
        }
    }
}

/// RFC 4648 section 5, without padding; nothing else is taken for it.
enum Base64URL {
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var bits: UInt32 = 0, count = 0
        for byte in text {
            guard let value = value(byte) else { return nil }
            bits = bits << 6 | value
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            out.append(UInt8(truncatingIfNeeded: bits >> count))
        }
        return text.count % 4 == 1 ? nil : out
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5a: UInt32(byte - 0x41)
        case 0x61...0x7a: UInt32(byte - 0x61 + 26)
        case 0x30...0x39: UInt32(byte - 0x30 + 52)
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
