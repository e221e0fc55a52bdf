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

    /// Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro, Mir, RuPay, Troy.
    private static func hasIssuer(_ d: ArraySlice<UInt8>) -> Bool {
        let two = Int(d[0]) * 10 + Int(d[1]), four = two * 100 + Int(d[2]) * 10 + Int(d[3])
        switch d.count {
        case 13: return d[0] == 4
        case 14: return two == 36 || two == 38 || two == 39 || (3000...3059).contains(four)
        case 15: return two == 34 || two == 37
        case 16:
            return d[0] == 4 || (51...55).contains(two) || (2200...2720).contains(four) || (6440...6499).contains(four) || four == 9792
                || [35, 60, 62, 65, 81, 82].contains(two) || isMaestro(two)
        default: return d[0] == 4 && d.count == 19 || two == 62 || isMaestro(two)
        }
    }

    private static func isMaestro(_ two: Int) -> Bool { [50, 56, 57, 58, 63, 67].contains(two) }

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
        case 9: isWritten([3, 2, 4], "--") && isSocialSecurity(d) || isWritten([3, 3, 3], "--", "  ") && isSIN(d)
        case 10: isWritten([6, 4], "-") && isDate(d, month: 2, day: 4) && CardNumber.luhn(d)
        case 11:
            isWritten([2, 2, 2, 3, 2], "..-.") && isBelgian(d) || isWritten([11]) && isNorwegian(d)
                || isWritten([3, 3, 3, 2], "..-") && isCPF(d) || isWritten([11]) && (isPESEL(d) || isTaxID(d))
                || isWritten([2, 3, 3, 3], "   ") && isTaxID(d)
        case 12:
            isWritten([4, 4, 4], "  ", "--") && d[0] > 1 && verhoeff(d)
                || isWritten([8, 4], "-") && isDate(d, month: 4, day: 6) && CardNumber.luhn(d[2...])
        case 18: isWritten([18]) && isResident(d.map { $0 + 0x30 })
        case 13: isWritten([3, 4, 4, 2], "...") && isAHV(d) || isWritten([6, 7], "-") && isRRN(d)
        case 15: (isWritten([15]) || isWritten([1, 2, 2, 2, 3, 3, 2], "      ")) && isINSEE(d)
        default: false
        }
    }

    private static func isDate(_ d: ArraySlice<UInt8>, month: Int, day: Int) -> Bool {
        (1...12).contains(number(d[month..<(month + 2)])) && (1...31).contains(number(d[day..<(day + 2)]))
    }

    private static func weighted(_ d: ArraySlice<UInt8>, _ weights: [Int]) -> Int { zip(d, weights).reduce(0) { $0 + Int($1.0) * $1.1 } }

    /// Canada: none begins with 0 or 8.
    private static func isSIN(_ d: ArraySlice<UInt8>) -> Bool { d[0] != 0 && d[0] != 8 && CardNumber.luhn(d) }

    /// Belgium: 97 minus the rest of the first nine; who was born from 2000 on has a 2 before them.
    private static func isBelgian(_ d: ArraySlice<UInt8>) -> Bool {
        let nine = number(d[0..<9]), check = number(d[9..<11])
        return isDate(d, month: 2, day: 4) && (97 - nine % 97 == check || 97 - (2_000_000_000 + nine) % 97 == check)
    }

    /// Norway: a day of birth, and two check digits, modulo 11.
    private static func isNorwegian(_ d: ArraySlice<UInt8>) -> Bool {
        (1...31).contains(number(d[0..<2])) && (1...12).contains(number(d[2..<4]))
            && weighted(d, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 == 0 && weighted(d, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
    }

    /// Switzerland: the country's number in front, and EAN-13's check digit.
    private static func isAHV(_ d: ArraySlice<UInt8>) -> Bool {
        number(d[0..<3]) == 756 && weighted(d, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 == 0
    }

    /// South Korea: a day of birth, a digit for century and sex. Those given out since October 2020 have no check digit.
    private static func isRRN(_ d: ArraySlice<UInt8>) -> Bool { isDate(d, month: 2, day: 4) && (1...8).contains(d[6]) }

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
        case 18: isResident(t) || isCURP(t) || isIBAN(t)
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
        return !never.contains(t[0]) && !never.contains(t[1]) && t[1] != UInt8(ascii: "O")
            && !pairs.contains { pair.elementsEqual($0.utf8) }
    }

    /// Spain: eight digits (a foreigner's first is X, Y or Z) and the letter of the rest modulo 23.
    private static func isDNI(_ t: [UInt8]) -> Bool {
        let letters = Array("TRWAGMYFPDXBNJZSQVHLCKE".utf8)
        let first: UInt8 =
            switch t[0] {
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

    /// China (GB 11643): place, day of birth, serial, and a check digit by ISO/IEC 7064, MOD 11-2, where X is ten.
    private static func isResident(_ t: [UInt8]) -> Bool {
        guard t[..<17].allSatisfy(isDigit), isDigit(t[17]) || t[17] | 0x20 == UInt8(ascii: "x") else { return false }
        let d = t[..<17].map { $0 - 0x30 } + [isDigit(t[17]) ? t[17] - 0x30 : 10]
        let year = number(d[6..<10])
        return (1900...2100).contains(year) && isDate(d[...], month: 10, day: 12)
            && weighted(d[...], [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1]) % 11 == 1
    }

    /// Mexico: four letters, a day of birth, sex, six letters and digits, and a check digit.
    private static func isCURP(_ t: [UInt8]) -> Bool {
        guard t[..<4].allSatisfy(isUpper), t[4..<10].allSatisfy(isDigit), "HMX".utf8.contains(t[10]), t[11..<16].allSatisfy(isUpper),
            isDigit(t[17])
        else { return false }
        let values = t.map { isDigit($0) ? Int($0 - 0x30) : Int($0 - 0x41) + ($0 > UInt8(ascii: "N") ? 11 : 10) }
        let sum = values[..<17].enumerated().reduce(0) { $0 + $1.element * (18 - $1.offset) }
        return (10 - sum % 10) % 10 == values[17]
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
