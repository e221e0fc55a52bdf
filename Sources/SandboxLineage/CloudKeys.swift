/// Keys that stand behind their name: AWS's secret ones, and those of Azure's storage and buses.
enum NamedSecret {
    static let all: [StaticString] = ["secretaccesskey", "accountkey", "sharedaccesskey"]
    static func ends(with byte: UInt8) -> Bool { byte | 0x20 == UInt8(ascii: "y") }
    static func isJoin(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
            || byte == UInt8(ascii: ">")
    }
}

/// What the keys of one issuer look like.
struct CloudKeyForm: Sendable {
    let prefix: StaticString
    /// Characters behind the prefix.
    let lengths: ClosedRange<Int>
    var isUpperCase = false
    /// Besides letters and digits.
    var more: [UInt8] = []

    func takes(_ byte: UInt8) -> Bool { more.contains(byte) }

    /// Whether the prefix of one begins so.
    static func begins(with byte: UInt8) -> Bool { firsts[Int(byte)] }

    private static let firsts: [Bool] = {
        var firsts = [Bool](repeating: false, count: 256)
        for form in all { form.prefix.withUTF8Buffer { text in unsafe firsts[Int(text[0])] = true } }
        return firsts
    }()

    private static func letters(_ lengths: ClosedRange<Int>, _ prefixes: StaticString...) -> [CloudKeyForm] {
        prefixes.map { CloudKeyForm(prefix: $0, lengths: lengths) }
    }

    private static func dashed(_ lengths: ClosedRange<Int>, _ prefixes: StaticString...) -> [CloudKeyForm] {
        prefixes.map { CloudKeyForm(prefix: $0, lengths: lengths, more: dashes) }
    }

    static let all: [CloudKeyForm] =
        [
            // AWS access key ids, long-lived and of a session.
            CloudKeyForm(prefix: "AKIA", lengths: 16...16, isUpperCase: true),
            CloudKeyForm(prefix: "ASIA", lengths: 16...16, isUpperCase: true),
            CloudKeyForm(prefix: "NRAK-", lengths: 27...27, isUpperCase: true),
            CloudKeyForm(prefix: "SG.", lengths: 66...66, more: dashes + [UInt8(ascii: ".")]),
            CloudKeyForm(prefix: "hooks.slack.com/services/", lengths: 30...80, more: dashes + [UInt8(ascii: "/")]),
        ] + letters(36...36, "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "npm_")
        + letters(24...120, "sk_live_", "rk_live_", "sk_test_", "rk_test_")
        + letters(32...64, "whsec_", "shpat_", "shpss_", "shpca_", "shppa_", "sbp_", "r8_", "pplx-") + letters(32...32, "dapi")
        + letters(34...40, "hf_") + letters(64...64, "dop_v1_") + letters(48...48, "rubygems_", "sk-")
        + letters(40...60, "lin_api_", "gsk_", "dp.pt.")
        + letters(60...60, "CLOJARS_")
        + dashed(35...35, "AIza") + dashed(20...512, "ya29.", "hvs.", "tskey-") + dashed(82...82, "github_pat_")
        + dashed(20...64, "glpat-", "gldt-", "glrt-", "dckr_pat_", "GOCSPX-", "figd_", "sq0csp-", "sq0atp-")
        + dashed(40...200, "sk-ant-", "sk-proj-", "sk-svcacct-", "sk-admin-", "ATATT3x", "glsa_", "nvapi-", "xai-", "PMAK-", "pypi-AgE")
        + dashed(20...160, "xoxb-", "xoxp-", "xoxa-", "xoxs-", "xoxr-", "xoxe-", "xapp-")
    private static let dashes = [UInt8(ascii: "-"), UInt8(ascii: "_")]
}
