internal import CCurl
internal import Glibc
internal import SandboxModel

/// One look at an address, by libcurl.
enum Fetch {
    /// https, or http to this machine itself.
    static func isAllowed(_ address: String) -> Bool { ccurl_is_secure(address) >= 0 }

    static func get(_ address: String) throws(VerifiedIdentity.Refusal) -> [UInt8] {
        guard isAllowed(address) else { throw .init("`\(address)` is no https address") }
        var answer = ccurl_get(address)
        defer { free(answer.bytes) }
        guard answer.code == CURLE_OK else {
            let reason = withUnsafeBytes(of: &answer.error) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            let tooLarge = answer.code == CURLE_WRITE_ERROR
            throw .init("`\(address)` gave nothing: \(tooLarge ? "the answer is larger than 1 MiB" : reason)")
        }
        guard answer.status == 200 else { throw .init("`\(address)` answered with status \(answer.status)") }
        return answer.bytes.map { Array(UnsafeRawBufferPointer(start: $0, count: answer.count)) } ?? []
    }
}
