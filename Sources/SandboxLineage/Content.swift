/// Kinds of data that can be told by their form.
package enum ContentKind: UInt8, Sendable, CaseIterable {
    case cardNumber, email, nationalID, privateKey, cloudKey

    /// As profiles and the trail have it.
    package var name: String {
        switch self {
        case .cardNumber: "card_number"
        case .email: "email"
        case .nationalID: "national_id"
        case .privateKey: "private_key"
        case .cloudKey: "cloud_key"
        }
    }

    package init?(name: String) {
        guard let kind = ContentKind.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }
}

/// How many of each were seen. Never which: no value leaves the look.
package struct ContentCounts: Sendable, Hashable {
    private var counts: InlineCounts = (0, 0, 0, 0, 0)
    private typealias InlineCounts = (UInt32, UInt32, UInt32, UInt32, UInt32)

    package init() {}

    package subscript(kind: ContentKind) -> Int {
        get {
            switch kind {
            case .cardNumber: Int(counts.0)
            case .email: Int(counts.1)
            case .nationalID: Int(counts.2)
            case .privateKey: Int(counts.3)
            case .cloudKey: Int(counts.4)
            }
        }
        set {
            let n = UInt32(clamping: newValue)
            switch kind {
            case .cardNumber: counts.0 = n
            case .email: counts.1 = n
            case .nationalID: counts.2 = n
            case .privateKey: counts.3 = n
            case .cloudKey: counts.4 = n
            }
        }
    }

    package var isEmpty: Bool { ContentKind.allCases.allSatisfy { self[$0] == 0 } }

    package static func == (a: ContentCounts, b: ContentCounts) -> Bool { ContentKind.allCases.allSatisfy { a[$0] == b[$0] } }
    package func hash(into hasher: inout Hasher) { for kind in ContentKind.allCases { hasher.combine(self[kind]) } }
}

/// A look at the beginning of a file's content: which kinds of personal and secret data it holds, by form and check digit.
///
/// What has no check digit and no form of its own (names, birth days) is not found: paths and tables are for that.
package enum Content {
    /// Bytes of a file that are looked at.
    package static let limit = 65_536

    package static func look(at bytes: Span<UInt8>) -> ContentCounts {
        var scan = ContentScan(count: min(bytes.count, limit))
        scan.run(bytes)
        return scan.found
    }
}

/// One pass over the bytes, word by word. A word is what stands between bytes that belong to none of the forms.
struct ContentScan {
    private(set) var found = ContentCounts()
    private let count: Int
    // Of the word that is looked at; kept so that each has not to be allocated anew.
    private var values: [UInt8] = []
    private var groups: [Int] = []
    private var separators: [UInt8] = []
    private var ends: [Int] = []

    init(count: Int) { self.count = count }

    mutating func run(_ bytes: Span<UInt8>) {
        var i = 0
        while i < count {
            let byte = bytes[i]
            if byte == UInt8(ascii: "-"), let end = armour(bytes, i) {
                found[.privateKey] += 1
                i = end
            } else if byte == UInt8(ascii: "@") {
                if isAddress(bytes, at: i) { found[.email] += 1 }
                i += 1
            } else if isAlphanumeric(byte), i == 0 || !isWord(bytes[i - 1]) {
                i = word(bytes, i)
            } else {
                i += 1
            }
        }
    }

    private func isDigit(_ b: UInt8) -> Bool { b >= 0x30 && b <= 0x39 }
    private func isUpper(_ b: UInt8) -> Bool { b >= 0x41 && b <= 0x5a }
    private func isAlphanumeric(_ b: UInt8) -> Bool { isDigit(b) || isUpper(b & 0xdf) && b & 0x40 != 0 }
    private func isWord(_ b: UInt8) -> Bool { isAlphanumeric(b) || b == UInt8(ascii: "_") }

    // MARK: Private keys

    /// `-----BEGIN … PRIVATE KEY-----` (RFC 7468, OpenSSH's and PGP's armour): the place behind it.
    private func armour(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        let head: StaticString = "-----BEGIN "
        guard starts(bytes, start, head) else { return nil }
        var end = start + head.utf8CodeUnitCount
        while end < count, end - start < 80, bytes[end] != 0x0a, bytes[end] != 0x0d { end += 1 }
        var i = start + head.utf8CodeUnitCount
        while i < end {
            if starts(bytes, i, "PRIVATE KEY") { return end }
            i += 1
        }
        return nil
    }

    private func starts(_ bytes: Span<UInt8>, _ at: Int, _ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard at + length <= count else { return false }
        return text.withUTF8Buffer { wanted in
            for k in 0..<length {
                let byte = unsafe wanted[k]
                if bytes[at + k] != byte { return false }
            }
            return true
        }
    }

    // MARK: Addresses

    /// `local@host.tld`, the plain form of RFC 5321 section 4.1.2 that people use.
    private func isAddress(_ bytes: Span<UInt8>, at: Int) -> Bool {
        var start = at
        while start > 0, at - start < 64, isLocal(bytes[start - 1]) { start -= 1 }
        guard start < at, bytes[start] != UInt8(ascii: "."), bytes[at - 1] != UInt8(ascii: ".") else { return false }
        var end = at + 1, dots = 0, label = 0
        while end < count, end - at < 254 {
            let b = bytes[end]
            if b == UInt8(ascii: ".") {
                guard label > 0 else { break }
                // A full stop at the end of a sentence is no part of it.
                guard end + 1 < count, isAlphanumeric(bytes[end + 1]) else { break }
                dots += 1
                label = 0
            } else if isAlphanumeric(b) || b == UInt8(ascii: "-") && label > 0 {
                label += 1
            } else {
                break
            }
            end += 1
        }
        // The last label is no number: `user@10.0.0.1`, `pkg@1.2.3` are none.
        return dots > 0 && label >= 2 && !isDigit(bytes[end - 1])
    }

    private func isLocal(_ b: UInt8) -> Bool {
        switch b {
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: "-"): true
        default: isAlphanumeric(b)
        }
    }

    // MARK: Words

    /// What begins here, and the place behind what was looked at.
    private mutating func word(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        if CloudKeyForm.begins(with: bytes[start]), let end = cloudKey(bytes, start) {
            found[.cloudKey] += 1
            return end
        }
        if isDigit(bytes[start]), let end = number(bytes, start) { return end }
        var end = start
        while end < count, isAlphanumeric(bytes[end]) { end += 1 }
        if NationalNumber.lengths.contains(end - start), end == count || !isWord(bytes[end]) {
            values.removeAll(keepingCapacity: true)
            for i in start..<end { values.append(bytes[i]) }
            if NationalNumber.isOne(letters: values) { found[.nationalID] += 1 }
        }
        while end < count, isWord(bytes[end]) { end += 1 }
        return end
    }

    /// A prefix that its issuer gives to all of its keys, and as many characters as they have.
    private func cloudKey(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        for form in CloudKeyForm.all where starts(bytes, start, form.prefix) {
            let first = start + form.prefix.utf8CodeUnitCount
            var end = first, isUpperCase = true
            while end < count, end - start < 512, isAlphanumeric(bytes[end]) || form.takes(bytes[end]) {
                if !isDigit(bytes[end]), !isUpper(bytes[end]) { isUpperCase = false }
                end += 1
            }
            if form.lengths.contains(end - first), isUpperCase || !form.isUpperCase { return end }
        }
        return nil
    }

    // MARK: Numbers

    /// Digits in groups, with one byte between two of them: the longest run of groups that is a number of some kind. The place
    /// behind it; behind the first group where there is none; nil where letters follow, too.
    private mutating func number(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        collect(bytes, start)
        let firstEnd = ends[0]
        if firstEnd < count, isWord(bytes[firstEnd]) { return nil }
        // The rest of a decimal, a version or an address.
        let isPart = start > 0 && (bytes[start - 1] == UInt8(ascii: ".") || bytes[start - 1] == UInt8(ascii: "-"))
        for n in stride(from: groups.count, through: 1, by: -1) where !isPart && isEnd(bytes, ends[n - 1]) {
            let digits = values[..<groups[..<n].reduce(0, +)]
            let form = groups[..<n], between = separators[..<(n - 1)]
            if CardNumber.isOne(digits, form, between) {
                found[.cardNumber] += 1
                return ends[n - 1]
            }
            if NationalNumber.isOne(digits, form, between) {
                found[.nationalID] += 1
                return ends[n - 1]
            }
        }
        return firstEnd
    }

    private func isEnd(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        guard at < count else { return true }
        let isDecimal = bytes[at] == UInt8(ascii: ".") && at + 1 < count && isDigit(bytes[at + 1])
        return !isWord(bytes[at]) && !isDecimal
    }

    /// As many groups as the longest form has.
    private mutating func collect(_ bytes: Span<UInt8>, _ start: Int) {
        values.removeAll(keepingCapacity: true)
        groups.removeAll(keepingCapacity: true)
        separators.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        var i = start, group = 0
        while i < count, isDigit(bytes[i]) {
            if values.count < 32 { values.append(bytes[i] - 0x30) }
            group += 1
            i += 1
            if i < count, isDigit(bytes[i]) { continue }
            groups.append(group)
            ends.append(i)
            group = 0
            guard groups.count < 7, values.count < 20, i + 1 < count, isDigit(bytes[i + 1]), isSeparator(bytes[i]) else { return }
            separators.append(bytes[i])
            i += 1
        }
    }

    private func isSeparator(_ b: UInt8) -> Bool { b == 0x20 || b == UInt8(ascii: "-") || b == UInt8(ascii: ".") }
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
    static func begins(with byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A"), UInt8(ascii: "S"), UInt8(ascii: "d"), UInt8(ascii: "g"), UInt8(ascii: "h"), UInt8(ascii: "n"), UInt8(ascii: "r"),
            UInt8(ascii: "s"), UInt8(ascii: "x"), UInt8(ascii: "y"):
            true
        default: false
        }
    }

    static let all: [CloudKeyForm] = [
        // AWS access key ids, long-lived and of a session.
        CloudKeyForm(prefix: "AKIA", lengths: 16...16, isUpperCase: true), CloudKeyForm(prefix: "ASIA", lengths: 16...16, isUpperCase: true),
        CloudKeyForm(prefix: "AIza", lengths: 35...35, more: dashes),  // Google
        CloudKeyForm(prefix: "ya29.", lengths: 20...512, more: dashes),
        CloudKeyForm(prefix: "ghp_", lengths: 36...36), CloudKeyForm(prefix: "gho_", lengths: 36...36), CloudKeyForm(prefix: "ghs_", lengths: 36...36),
        CloudKeyForm(prefix: "ghu_", lengths: 36...36), CloudKeyForm(prefix: "github_pat_", lengths: 82...82, more: dashes),
        CloudKeyForm(prefix: "glpat-", lengths: 20...64, more: dashes), CloudKeyForm(prefix: "npm_", lengths: 36...36),
        CloudKeyForm(prefix: "sk-ant-", lengths: 40...200, more: dashes), CloudKeyForm(prefix: "sk-proj-", lengths: 40...200, more: dashes),
        CloudKeyForm(prefix: "sk_live_", lengths: 24...120), CloudKeyForm(prefix: "rk_live_", lengths: 24...120),
        CloudKeyForm(prefix: "xoxb-", lengths: 20...120, more: dashes), CloudKeyForm(prefix: "xoxp-", lengths: 20...120, more: dashes),
        CloudKeyForm(prefix: "xoxa-", lengths: 20...120, more: dashes), CloudKeyForm(prefix: "hf_", lengths: 34...40),
        CloudKeyForm(prefix: "dop_v1_", lengths: 64...64), CloudKeyForm(prefix: "SG.", lengths: 66...66, more: dashes + [UInt8(ascii: ".")]),
    ]
    private static let dashes = [UInt8(ascii: "-"), UInt8(ascii: "_")]
}

/// Payment cards: ISO/IEC 7812, as they are printed.
enum CardNumber {
    static func isOne(_ d: ArraySlice<UInt8>, _ groups: ArraySlice<Int>, _ between: ArraySlice<UInt8>) -> Bool {
        guard (13...19).contains(d.count), isGrouped(groups, between), hasIssuer(d), !d.allSatisfy({ $0 == d[0] }) else { return false }
        return luhn(d)
    }

    private static func isGrouped(_ groups: ArraySlice<Int>, _ between: ArraySlice<UInt8>) -> Bool {
        guard let separator = between.first else { return true }
        guard separator != UInt8(ascii: "."), between.allSatisfy({ $0 == separator }) else { return false }
        // 4-4-4-4 (and more), or American Express's 4-6-5 and Diners' 4-6-4.
        if groups.elementsEqual([4, 6, 5]) || groups.elementsEqual([4, 6, 4]) { return true }
        return groups.dropLast().allSatisfy { $0 == 4 } && groups[groups.count - 1] <= 4
    }

    /// Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro, Mir.
    private static func hasIssuer(_ d: ArraySlice<UInt8>) -> Bool {
        let two = Int(d[0]) * 10 + Int(d[1]), four = two * 100 + Int(d[2]) * 10 + Int(d[3])
        switch d.count {
        case 13: return d[0] == 4
        case 14: return two == 36 || two == 38 || (3000...3059).contains(four)
        case 15: return two == 34 || two == 37
        case 16: return d[0] == 4 || (51...55).contains(two) || (2200...2720).contains(four) || four == 6011 || two == 65 || two == 35 || two == 62
        default: return d[0] == 4 && d.count == 19 || two == 62 || [50, 56, 57, 58, 63, 67].contains(two)
        }
    }

    /// ISO/IEC 7812-1, annex B.
    static func luhn(_ d: ArraySlice<UInt8>) -> Bool {
        var sum = 0
        for (i, digit) in d.reversed().enumerated() {
            let v = i % 2 == 1 ? Int(digit) * 2 : Int(digit)
            sum += v > 9 ? v - 9 : v
        }
        return sum % 10 == 0
    }
}

/// National numbers of persons, where form and check digits together leave little to chance.
enum NationalNumber {
    /// How long those with letters are.
    static let lengths = 9...34

    static func isOne(_ d: ArraySlice<UInt8>, _ groups: ArraySlice<Int>, _ between: ArraySlice<UInt8>) -> Bool {
        func isWritten(_ form: [Int], _ separators: String...) -> Bool {
            groups.elementsEqual(form) && (between.isEmpty || separators.contains { between.elementsEqual($0.utf8) })
        }
        return switch d.count {
        case 9: isWritten([3, 2, 4], "--") && isSocialSecurity(d)
        case 11:
            isWritten([3, 3, 3, 2], "..-") && isCPF(d) || isWritten([11]) && (isPESEL(d) || isTaxID(d))
                || isWritten([2, 3, 3, 3], "   ") && isTaxID(d)
        case 12: isWritten([4, 4, 4], "  ", "--") && d[0] > 1 && verhoeff(d)
        case 15: (isWritten([15]) || isWritten([1, 2, 2, 2, 3, 3, 2], "      ")) && isINSEE(d)
        default: false
        }
    }

    /// United States (SSA: no area 000, 666 or 9xx, no group 00, no serial 0000).
    private static func isSocialSecurity(_ d: ArraySlice<UInt8>) -> Bool {
        let area = number(d[0..<3])
        return area != 0 && area != 666 && area < 900 && number(d[3..<5]) != 0 && number(d[5..<9]) != 0
    }

    /// Brazil: two check digits, weights 10…2 and 11…2, modulo 11.
    private static func isCPF(_ d: ArraySlice<UInt8>) -> Bool {
        func check(_ n: Int) -> UInt8 {
            let sum = (0..<n).reduce(0) { $0 + Int(d[$1]) * (n + 1 - $1) }
            return UInt8(sum * 10 % 11 % 10)
        }
        return !d.allSatisfy { $0 == d[0] } && check(9) == d[9] && check(10) == d[10]
    }

    /// Poland: a day of birth, and a check digit of weights 1 3 7 9.
    private static func isPESEL(_ d: ArraySlice<UInt8>) -> Bool {
        let month = number(d[2..<4]) % 20, day = number(d[4..<6])
        guard (1...12).contains(month), (1...31).contains(day) else { return false }
        let weights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]
        let sum = zip(d, weights).reduce(0) { $0 + Int($1.0) * $1.1 }
        return (10 - sum % 10) % 10 == Int(d[10])
    }

    /// Germany: of the first ten digits exactly one comes twice or three times; ISO/IEC 7064, MOD 11,10.
    private static func isTaxID(_ d: ArraySlice<UInt8>) -> Bool {
        guard d[0] != 0 else { return false }
        var seen = [Int](repeating: 0, count: 10)
        for digit in d[0..<10] { seen[Int(digit)] += 1 }
        guard seen.filter({ $0 > 1 }).count == 1, seen.max() ?? 0 <= 3 else { return false }
        var product = 10
        for digit in d[0..<10] {
            let sum = (Int(digit) + product) % 10
            product = (sum == 0 ? 10 : sum) * 2 % 11
        }
        return (11 - product) % 10 == Int(d[10])
    }

    /// India (Aadhaar): Verhoeff's dihedral check.
    static func verhoeff(_ d: ArraySlice<UInt8>) -> Bool {
        var check = 0
        for (i, digit) in d.reversed().enumerated() { check = multiply(check, permute(i, Int(digit))) }
        return check == 0
    }

    /// The dihedral group D5.
    private static func multiply(_ a: Int, _ b: Int) -> Int {
        switch (a < 5, b < 5) {
        case (true, true): (a + b) % 5
        case (true, false): (a + b) % 5 + 5
        case (false, true): (a - b + 5) % 5 + 5
        case (false, false): (a - b + 5) % 5
        }
    }

    private static func permute(_ place: Int, _ digit: Int) -> Int {
        let once = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
        return (0..<place % 8).reduce(digit) { value, _ in once[value] }
    }

    /// France: sex, year, month, place; 97 minus the rest modulo 97.
    private static func isINSEE(_ d: ArraySlice<UInt8>) -> Bool {
        let month = number(d[3..<5])
        guard d[0] == 1 || d[0] == 2, (1...12).contains(month) || (20...42).contains(month) else { return false }
        return 97 - number(d[0..<13]) % 97 == number(d[13..<15])
    }

    private static func number(_ d: ArraySlice<UInt8>) -> Int { d.reduce(0) { $0 * 10 + Int($1) } }

    // MARK: With letters

    static func isOne(letters t: [UInt8]) -> Bool {
        switch t.count {
        case 9: isNINO(t) || isDNI(t)
        case 16: isCodiceFiscale(t)
        case 15...34: isIBAN(t)
        default: false
        }
    }

    private static func isDigit(_ b: UInt8) -> Bool { b >= 0x30 && b <= 0x39 }
    private static func isUpper(_ b: UInt8) -> Bool { b >= 0x41 && b <= 0x5a }

    /// United Kingdom: two letters of those that are given out, six digits, A to D.
    private static func isNINO(_ t: [UInt8]) -> Bool {
        guard isUpper(t[0]), isUpper(t[1]), t[2..<8].allSatisfy(isDigit), (UInt8(ascii: "A")...UInt8(ascii: "D")).contains(t[8]) else {
            return false
        }
        let never: [UInt8] = Array("DFIQUV".utf8), pair = [t[0], t[1]]
        let pairs = ["BG", "GB", "NK", "KN", "TN", "NT", "ZZ"]
        return !never.contains(t[0]) && !never.contains(t[1]) && t[1] != UInt8(ascii: "O") && !pairs.contains { pair.elementsEqual($0.utf8) }
    }

    /// Spain: eight digits (a foreigner's first is X, Y or Z) and the letter of the rest modulo 23.
    private static func isDNI(_ t: [UInt8]) -> Bool {
        let letters = Array("TRWAGMYFPDXBNJZSQVHLCKE".utf8)
        let first: UInt8 = switch t[0] {
        case UInt8(ascii: "X"): 0x30
        case UInt8(ascii: "Y"): 0x31
        case UInt8(ascii: "Z"): 0x32
        default: t[0]
        }
        let digits = [first] + t[1..<8]
        guard digits.allSatisfy(isDigit), isUpper(t[8]) else { return false }
        return letters[digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } % 23] == t[8]
    }

    /// Italy: six letters, the day of birth, the place, a check letter (D.M. 12 March 1974).
    private static func isCodiceFiscale(_ t: [UInt8]) -> Bool {
        let isLetter = [0, 1, 2, 3, 4, 5, 8, 11, 15]
        for (i, b) in t.enumerated() where isLetter.contains(i) ? !isUpper(b) : !isDigit(b) { return false }
        let odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
        let sum = t[0..<15].enumerated().reduce(0) { sum, next in
            let value = Int(isDigit(next.element) ? next.element - 0x30 : next.element - 0x41)
            return sum + (next.offset % 2 == 0 ? odd[value] : value)
        }
        return sum % 26 == Int(t[15] - 0x41)
    }

    /// Bank accounts of persons, too: ISO 13616, checked by ISO/IEC 7064, MOD 97-10.
    private static func isIBAN(_ t: [UInt8]) -> Bool {
        guard isUpper(t[0]), isUpper(t[1]), isDigit(t[2]), isDigit(t[3]), t.allSatisfy({ isDigit($0) || isUpper($0) }),
            t.filter(isDigit).count > t.count / 2
        else { return false }
        let rest = (t[4...] + t[..<4]).reduce(0) { rest, b in
            isDigit(b) ? (rest * 10 + Int(b - 0x30)) % 97 : (rest * 100 + Int(b - 0x41) + 10) % 97
        }
        return rest == 1
    }
}
