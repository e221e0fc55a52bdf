package import SandboxModel

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
        if isKeyStructure(bytes) { found[.privateKey] += 1 }
        var isKeySet = false, hasSecretPart = false
        while i < count {
            let byte = bytes[i]
            if byte == UInt8(ascii: "\"") {
                isKeySet = isKeySet || starts(bytes, i, "\"kty\"")
                hasSecretPart = hasSecretPart || starts(bytes, i, "\"d\"")
                i += 1
            } else if byte == UInt8(ascii: "-"), let end = armour(bytes, i) {
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
        // JSON Web Keys (RFC 7517): of a public one there is no `d`.
        if isKeySet, hasSecretPart { found[.privateKey] += 1 }
    }

    private func isDigit(_ b: UInt8) -> Bool { b >= 0x30 && b <= 0x39 }
    private func isUpper(_ b: UInt8) -> Bool { b >= 0x41 && b <= 0x5a }
    private func isAlphanumeric(_ b: UInt8) -> Bool { isDigit(b) || isUpper(b & 0xdf) && b & 0x40 != 0 }
    private func isWord(_ b: UInt8) -> Bool { isAlphanumeric(b) || b == UInt8(ascii: "_") }

    // MARK: Private keys

    /// `-----BEGIN … PRIVATE KEY-----` (RFC 7468, OpenSSH's and PGP's armour; RFC 4716 has four hyphens and a blank): the place behind it.
    private func armour(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        let head: StaticString = starts(bytes, start, "---- BEGIN ") ? "---- BEGIN " : "-----BEGIN "
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

    /// DER, as PKCS #8 (RFC 5208), PKCS #1 (RFC 8017) and SEC 1 (RFC 5915) have it: a sequence that begins with a version, and then the
    /// algorithm, a long number, or the key.
    private func isKeyStructure(_ bytes: Span<UInt8>) -> Bool {
        guard count > 16, bytes[0] == 0x30 else { return false }
        let at = bytes[1] < 0x80 ? 2 : 2 + Int(bytes[1] & 0x7f)
        guard at < 6, bytes[at] == 0x02, bytes[at + 1] == 0x01 else { return false }
        let version = bytes[at + 2], next = bytes[at + 3]
        return version == 0 && (next == 0x30 || next == 0x02 && bytes[at + 4] > 0x80)
            || version == 1 && (next == 0x30 || next == 0x04 && bytes[at + 4] >= 0x1c)
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
            } else if isAlphanumeric(b) || b >= 0x80 || b == UInt8(ascii: "-") && label > 0 {
                label += 1
            } else {
                break
            }
            end += 1
        }
        // The last label is no number: `user@10.0.0.1`, `pkg@1.2.3` are none; nor is the picture `logo@2x.png`.
        let isScale = at + 3 < count && isDigit(bytes[at + 1]) && bytes[at + 2] == UInt8(ascii: "x") && bytes[at + 3] == UInt8(ascii: ".")
        return dots > 0 && label >= 2 && !isDigit(bytes[end - 1]) && !isScale
    }

    private func isLocal(_ b: UInt8) -> Bool {
        switch b {
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: "-"), 0x80...: true
        default: isAlphanumeric(b)
        }
    }

    // MARK: Words

    /// What begins here, and the place behind what was looked at.
    private mutating func word(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        if starts(bytes, start, "PuTTY-User-Key-File-") || starts(bytes, start, "AGE-SECRET-KEY-1") {
            found[.privateKey] += 1
        } else if CloudKeyForm.begins(with: bytes[start]), let end = cloudKey(bytes, start) {
            found[.cloudKey] += 1
            return end
        }
        if isDigit(bytes[start]), let end = number(bytes, start) { return end }
        if isUpper(bytes[start]), let end = spacedNumber(bytes, start) {
            found[.nationalID] += 1
            return end
        }
        var end = start
        while end < count, isAlphanumeric(bytes[end]) { end += 1 }
        if NationalNumber.lengths.contains(end - start), end == count || !isWord(bytes[end]) {
            values.removeAll(keepingCapacity: true)
            for i in start..<end { values.append(bytes[i]) }
            if NationalNumber.isOne(letters: values) { found[.nationalID] += 1 }
        }
        while end < count, isWord(bytes[end]) { end += 1 }
        if NamedSecret.ends(with: bytes[end - 1]), let behind = namedSecret(bytes, start, end) {
            found[.cloudKey] += 1
            return behind
        }
        return end
    }

    /// `AB 12 34 56 C`
    private mutating func spacedNumber(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        let end = start + 13
        guard end <= count, end == count || !isWord(bytes[end]) else { return nil }
        values.removeAll(keepingCapacity: true)
        for i in start..<end {
            let isBlank = [2, 5, 8, 11].contains(i - start)
            if isBlank != (bytes[i] == 0x20) { return nil }
            if !isBlank { values.append(bytes[i]) }
        }
        return NationalNumber.isOne(letters: values) ? end : nil
    }

    /// `aws_secret_access_key = …`, `"SecretAccessKey": "…"`, `AccountKey=…`: what has no form of its own, by its name.
    private func namedSecret(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        guard end - start < 64, NamedSecret.all.contains(where: { ends(bytes, start, end, $0) }) else { return nil }
        var i = end
        while i < count, i - end < 8, NamedSecret.isJoin(bytes[i]) { i += 1 }
        let first = i
        while i < count, i - first < 200, isAlphanumeric(bytes[i]) || bytes[i] == UInt8(ascii: "/") || bytes[i] == UInt8(ascii: "+") {
            i += 1
        }
        return first > end && i - first >= 40 ? i : nil
    }

    /// In any case, without the `_` between its words.
    private func ends(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ name: StaticString) -> Bool {
        name.withUTF8Buffer { wanted in
            var i = end, left = wanted.count
            while left > 0 {
                guard i > start else { return false }
                i -= 1
                if bytes[i] == UInt8(ascii: "_") { continue }
                let byte = unsafe wanted[left - 1]
                if bytes[i] | 0x20 != byte { return false }
                left -= 1
            }
            return true
        }
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
        // The rest of a decimal, a version or an address, or a telephone number.
        let isPart = start > 0 && [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+")].contains(bytes[start - 1])
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
