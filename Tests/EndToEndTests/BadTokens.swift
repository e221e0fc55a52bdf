import Foundation
import Testing

/// What is done to a good token, and what has to be said of it.
struct BadToken: Sendable, CustomTestStringConvertible {
    let name, says: String
    let make: @Sendable (TestIssuer) throws -> String
    init(_ name: String, _ says: String, _ make: @escaping @Sendable (TestIssuer) throws -> String) {
        (self.name, self.says, self.make) = (name, says, make)
    }
    var testDescription: String { name }

    private static func withAnotherSignature(_ token: String) -> String {
        var parts = token.split(separator: ".").map(String.init)
        parts[2] = (parts[2].first == "A" ? "B" : "A") + parts[2].dropFirst()
        return parts.joined(separator: ".")
    }

    private static func now(_ seconds: Int) -> Int { Int(Date().timeIntervalSince1970) + seconds }

    static let all: [BadToken] = [
        BadToken("another issuer", "is not trusted") { try $0.token(["iss": "http://127.0.0.1:1"]) },
        BadToken("no issuer", "names no issuer") { try $0.token(["iss": nil]) },
        BadToken("another audience", "is for another audience: `somebody`") { try $0.token(["aud": "somebody"]) },
        BadToken("other audiences", "is for another audience") { try $0.token(["aud": ["a", "b"]]) },
        BadToken("no audience", "names no audience") { try $0.token(["aud": nil]) },
        BadToken("expired", "the token expired at 20") { try $0.token(["exp": now(-61)]) },
        BadToken("never expires", "does not say when it expires") { try $0.token(["exp": nil]) },
        BadToken("expiry in words", "`exp` is no time") { try $0.token(["exp": "tomorrow"]) },
        BadToken("not yet valid", "is not valid before 20") { try $0.token(["nbf": now(600)]) },
        BadToken("from the future", "was issued in the future") { try $0.token(["iat": now(600)]) },
        BadToken("no subject", "has no claim `sub`") { try $0.token(["sub": nil]) },
        BadToken("a subject of controls", "not plain text") { try $0.token(["sub": "ada\nsubject oidc:root"]) },
        BadToken("a turned subject", "not plain text") { try $0.token(["sub": "\u{202e}ada"]) },
        BadToken("an empty subject", "is empty") { try $0.token(["sub": ""]) },
        BadToken("a long subject", "longer than") { try $0.token(["sub": String(repeating: "a", count: 300)]) },
        BadToken("groups that are none", "`groups` is no list of names") { try $0.token(["groups": [1, 2]]) },
        BadToken("a group of two lines", "not plain text") { try $0.token(["groups": ["a\ngroup root"]]) },
        BadToken("more groups than anybody has", "more than 500") { try $0.token(["groups": (0...500).map { "g\($0)" }]) },
        BadToken("no algorithm", "signed with `none`, which is not allowed") { try $0.unsigned(["alg": "none"], $0.claims) + "." },
        BadToken("no algorithm, spelt otherwise", "signed with `nOnE`") {
            try $0.unsigned(["alg": "nOnE", "kid": "RS256"], $0.claims) + "."
        },
        BadToken("no signature", "signature does not fit") { try $0.unsigned(["alg": "RS256", "kid": "RS256"], $0.claims) + "." },
        BadToken("a public key as a secret", "signed with `HS256`, which is not allowed") {
            try $0.symmetric($0.keys["RS256"]!.publicText)
        },
        BadToken("an algorithm that is not listed", "signed with `PS256`") { try $0.token(header: ["alg": "PS256"]) },
        BadToken("an algorithm in small letters", "signed with `rs256`") { try $0.token(header: ["alg": "rs256"]) },
        BadToken("an algorithm of another key", "does not have for `ES256`") { try $0.token(header: ["alg": "ES256"]) },
        BadToken("another's key", "signature does not fit") { issuer in
            let mine = issuer.keys["ES256"]
            issuer.keys["ES256"] = try TestKey.make("ES256")
            defer { issuer.keys["ES256"] = mine }
            return try issuer.token("ES256")
        },
        BadToken("a key of its own", "signature does not fit") { issuer in
            let mine = issuer.keys["ES256"], other = try TestKey.make("ES256")
            issuer.keys["ES256"] = other
            defer { issuer.keys["ES256"] = mine }
            return try issuer.token(
                "ES256", header: ["jwk": try other.publicKey("ES256"), "jku": issuer.address + "/evil", "x5c": ["AAAA"]])
        },
        BadToken("an unknown key", "is signed with a key `other` that") { try $0.token(header: ["kid": "other"]) },
        BadToken("a key of a kind that is not known", "is signed with a key `odd` that") { try $0.token(header: ["kid": "odd"]) },
        BadToken("extensions", "asks for extensions") { try $0.token(header: ["crit": ["b64"], "b64": false]) },
        BadToken("other claims", "signature does not fit") { issuer in
            let parts = try issuer.token().split(separator: "."), other = try issuer.token(["sub": "root"]).split(separator: ".")
            return "\(parts[0]).\(other[1]).\(parts[2])"
        },
        BadToken("a bit", "signature does not fit") { try withAnotherSignature($0.token()) },
        BadToken("garbage", "no signed JSON Web Token") { _ in "garbage" }, BadToken("dots", "no signed JSON Web Token") { _ in "...." },
        BadToken("two dots", "header is malformed") { _ in ".." }, BadToken("words", "header is malformed") { _ in "aaaa.bbbb.cccc" },
        BadToken("no base64", "no signed JSON Web Token") { _ in "a+b.c/d.e=" },
        BadToken("controls", "no signed JSON Web Token") { _ in "\u{1b}[2J\u{0}.a.b" },
        BadToken("encrypted", "no signed JSON Web Token") { _ in "aaaa.bbbb.cccc.dddd.eeee" }, BadToken("empty", "is empty") { _ in "" },
        BadToken("deep", "malformed") { _ in
            base64(Data(("{\"alg\":\"RS256\",\"kid\":" + String(repeating: "[", count: 9000)).utf8)) + ".e30.AA"
        },
        BadToken("a number without end", "does not fit") {
            try withAnotherSignature($0.token(header: ["x": 1e300], ["exp": 1e300, "y": 1e300]))
        },
        BadToken("a claim twice", "claims are malformed") { try $0.token(claims: { $0.dropLast() + ",\"sub\":\"root\"}" }) },
        BadToken("a claim twice, spelt otherwise", "claims are malformed") {
            try $0.token(claims: { $0.dropLast() + ",\"s\\u0075b\" : \"root\"}" })
        },
        BadToken("an algorithm twice", "header is malformed") { issuer in
            let parts = try issuer.token().split(separator: ".")
            return "\(base64(Data("{\"alg\":\"RS256\",\"kid\":\"RS256\",\"alg\":\"none\"}".utf8))).\(parts[1]).\(parts[2])"
        },
        BadToken("other letters", "claims are malformed") { try $0.token(encoding: .utf16LittleEndian) },
        BadToken("a mark before the claims", "claims are malformed") { try $0.token(claims: { "\u{feff}" + $0 }) },
        BadToken("huge", "is larger than 32 KiB") { try $0.token(["x": String(repeating: "x", count: 40_000)]) },
        BadToken("endless", "is larger than 32 KiB") { _ in String(repeating: "a", count: 5_000_000) },
    ]
}
