/// A device and an inode; none of it where the record was made before the file was.
package struct Inode: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
    package var isKnown: Bool { inode != 0 }
}

/// An object with all that makes it the one it is.
package struct TrackedObject: Sendable {
    package var id: ObjectID
    package var kind: ObjectKind
    package var inode: Inode
    /// The names it has now, as far as somebody has asked for them, and how many more there are.
    package var names: Set<[UInt8]> = []
    package var hiddenNames = 0
    /// The names it was given since it was loaded or last taken by `takeChanged`.
    package var newNames: Set<[UInt8]> = []
    /// The names it has lost since.
    package var lostNames: Set<[UInt8]> = []
    /// The name that people are shown.
    package var name: [UInt8]
    package var born: UInt64?
    package var ended: UInt64?
    package init(id: ObjectID, kind: ObjectKind, inode: Inode, name: [UInt8], born: UInt64? = nil, ended: UInt64? = nil) {
        self.id = id
        self.kind = kind
        self.inode = inode
        self.name = name
        self.born = born
        self.ended = ended
    }
}

/// What earlier sessions have left: asked once for each name and inode.
package protocol KnownObjects {
    associatedtype Failure: Error
    /// The living object of this name, which is its only one in `names`.
    func object(named name: [UInt8], _ kind: ObjectKind) throws(Failure) -> TrackedObject?
    func object(at inode: Inode) throws(Failure) -> TrackedObject?
    /// Whether what has this name and inode was made after the session that made `object`, of which nobody has seen the inode.
    func isLater(_ name: [UInt8], _ inode: Inode, than object: ObjectID) throws(Failure) -> Bool
}

/// Which file a name means at the moment, while a session's records are gone through in order.
///
/// A file is the same under another name, by `rename` or `link`, and another one where a name was removed and made again: the
/// inode tells, and where a file was made or removed tells two files apart that had the same inode one after the other.
package struct FileTable<Known: KnownObjects> {
    private let known: Known
    private var next: Int64
    /// What has a smaller number was there before.
    private let first: Int64
    package private(set) var objects: [ObjectID: TrackedObject] = [:]
    private var byName: [[UInt8]: ObjectID?] = [:]
    private var byInode: [Inode: ObjectID?] = [:]
    private var sockets: [[UInt8]: ObjectID] = [:]
    private var pipes: [[UInt8]: ObjectID] = [:]
    private var ended: [Inode: ObjectID] = [:]
    private var changed: Set<ObjectID> = []

    /// `next`: the number of the first object that is new.
    package init(known: Known, next: Int64) {
        self.known = known
        self.next = next
        first = next
    }

    /// What is new or has changed since the last time, in the order of numbers.
    package mutating func takeChanged() -> [TrackedObject] {
        let taken = changed.sorted().compactMap { objects[$0] }
        for id in changed {
            objects[id]?.newNames.removeAll()
            objects[id]?.lostNames.removeAll()
        }
        changed.removeAll()
        return taken
    }

    // MARK: What was known before

    /// A name that was met.
    package mutating func recall(_ name: [UInt8]) throws(Known.Failure) {
        if !FileTable.isPipe(name) { _ = try object(named: name, SystemPlaces.contains(name) ? .system : .file) }
    }

    /// A pipe, or a file that has ended; the latest comes last.
    package mutating func recall(_ id: ObjectID, _ kind: ObjectKind, _ inode: Inode, _ name: [UInt8]) {
        if kind == .pipe { pipes[name] = id } else { ended[inode] = id }
    }

    // MARK: Files

    /// The file that `name` means.
    package mutating func file(_ name: [UInt8], _ inode: Inode) throws(Known.Failure) -> ObjectID {
        let kind = SystemPlaces.contains(name) ? ObjectKind.system : .file
        let named = try object(named: name, kind)
        if let named, let object = objects[named] {
            if !inode.isKnown || object.inode == inode || kind == .system { return named }
            let other = try file(at: inode)
            if !object.inode.isKnown, other == nil || other == named, try !isLater(name, inode, than: named) {
                objects[named]?.inode = inode
                changed.insert(named)
                byInode[inode] = .some(named)
                return named
            }
        }
        // What was behind the name has been replaced, or it has come under this name out of our sight.
        if let other = try inode.isKnown ? file(at: inode) : nil, kind == .file {
            give(name, to: other)
            return other
        }
        return add(kind, name, inode)
    }

    /// What was made and not opened again since: nobody has seen its inode yet. `first`: from this number on.
    package func unseen(from first: Int64) -> [(id: ObjectID, name: [UInt8])] {
        objects.values.compactMap { object in
            guard object.id.rawValue >= first, object.kind == .file, object.born != nil, !object.inode.isKnown else { return nil }
            return object.names.first.map { (object.id, $0) }
        }
    }

    package mutating func saw(_ inode: Inode, of id: ObjectID) {
        objects[id]?.inode = inode
        byInode[inode] = .some(id)
        changed.insert(id)
    }

    private func isLater(_ name: [UInt8], _ inode: Inode, than object: ObjectID) throws(Known.Failure) -> Bool {
        if object.rawValue >= first { return false }
        return try known.isLater(name, inode, than: object)
    }

    /// A new file was made where none was.
    package mutating func created(_ name: [UInt8], at time: UInt64) throws(Known.Failure) -> ObjectID {
        let kind = SystemPlaces.contains(name) ? ObjectKind.system : .file
        if kind == .system, let named = try object(named: name, kind) { return named }
        if let old = try object(named: name, kind) { take(name, from: old, at: time) }
        let id = add(kind, name, Inode(device: 0, inode: 0))
        objects[id]?.born = time
        return id
    }

    package mutating func deleted(_ name: [UInt8], _ inode: Inode, at time: UInt64) throws(Known.Failure) -> ObjectID {
        let id = try file(name, inode)
        take(name, from: id, at: time)
        return id
    }

    /// `from` is now called `to`, and so is everything below it.
    package mutating func renamed(_ from: [UInt8], to: [UInt8], _ inode: Inode, at time: UInt64) throws(Known.Failure) -> ObjectID {
        let id = try file(from, inode)
        if let old = try object(named: to, .file), old != id { take(to, from: old, at: time) }
        move(id, from, to)
        let folder = from + [UInt8(ascii: "/")]
        for (name, object) in byName where name.starts(with: folder) {
            guard let object else { continue }
            move(object, name, to + name[from.count...])
        }
        return id
    }

    /// Each is now called what the other was, and so is everything below them (`RENAME_EXCHANGE`).
    package mutating func exchanged(_ from: [UInt8], _ to: [UInt8], _ inode: Inode) throws(Known.Failure) -> ObjectID {
        let id = try file(from, inode), other = try object(named: to, .file)
        let below = [(from, to), (to, from)].flatMap { old, new -> [(ObjectID, [UInt8], [UInt8])] in
            let folder = old + [UInt8(ascii: "/")]
            return byName.compactMap { name, object in
                guard let object, name.starts(with: folder) else { return nil }
                return (object, name, new + name[old.count...])
            }
        }
        let moved = [(id, from, to)] + (other.map { [($0, to, from)] } ?? []) + below
        for (object, old, _) in moved {
            objects[object]?.names.remove(old)
            objects[object]?.lostNames.insert(old)
            byName[old] = .some(nil)
        }
        for (object, _, new) in moved { give(new, to: object) }
        return id
    }

    package mutating func linked(_ from: [UInt8], to: [UInt8], _ inode: Inode) throws(Known.Failure) -> ObjectID {
        let id = try file(from, inode)
        give(to, to: id)
        return id
    }

    // MARK: Pipes and sockets

    /// What was found open under a name of proc(5)'s making: that of a file without a name says so.
    package mutating func stream(_ name: [UInt8], _ inode: Inode) throws(Known.Failure) -> ObjectID {
        if FileTable.isPipe(name) { return pipe(name) }
        let mark = Array(" (deleted)".utf8)
        if name.count > mark.count, name.suffix(mark.count).elementsEqual(mark), let file = ended[inode] { return file }
        return try file(name, inode)
    }

    /// `pipe:[N]` or `socket:[N]`, as proc(5) names what has no name. The number is the kernel's to use again.
    private mutating func pipe(_ name: [UInt8]) -> ObjectID {
        if let id = pipes[name] { return id }
        let id = newObject(.pipe, name, Inode(device: 0, inode: 0))
        pipes[name] = id
        return id
    }

    package static func isPipe(_ name: [UInt8]) -> Bool { name.starts(with: "pipe:[".utf8) || name.starts(with: "socket:[".utf8) }

    package mutating func socket(_ name: [UInt8]) throws(Known.Failure) -> ObjectID {
        if let id = sockets[name] { return id }
        let id: ObjectID
        if let object = try known.object(named: name, .socket) {
            objects[object.id] = object
            id = object.id
        } else {
            id = newObject(.socket, name, Inode(device: 0, inode: 0))
            objects[id]?.newNames.insert(name)
        }
        sockets[name] = id
        return id
    }

    // MARK: Names

    private mutating func object(named name: [UInt8], _ kind: ObjectKind) throws(Known.Failure) -> ObjectID? {
        if let found = byName[name] { return found }
        let found = try known.object(named: name, kind)
        if let found { load(found) }
        byName[name] = .some(found?.id)
        return found?.id
    }

    private mutating func file(at inode: Inode) throws(Known.Failure) -> ObjectID? {
        if let found = byInode[inode] { return found }
        let found = try known.object(at: inode)
        if let found { load(found) }
        byInode[inode] = .some(found?.id)
        return found?.id
    }

    private mutating func load(_ object: TrackedObject) {
        guard objects[object.id] == nil else {
            for name in object.names where objects[object.id]?.names.insert(name).inserted == true {
                objects[object.id]?.hiddenNames -= 1
            }
            return
        }
        objects[object.id] = object
        if object.inode.isKnown { byInode[object.inode] = .some(object.id) }
    }

    private mutating func newObject(_ kind: ObjectKind, _ name: [UInt8], _ inode: Inode) -> ObjectID {
        let id = ObjectID(rawValue: next)
        next += 1
        objects[id] = TrackedObject(id: id, kind: kind, inode: inode, name: name)
        changed.insert(id)
        return id
    }

    private mutating func add(_ kind: ObjectKind, _ name: [UInt8], _ inode: Inode) -> ObjectID {
        let id = newObject(kind, name, inode)
        if inode.isKnown { byInode[inode] = .some(id) }
        give(name, to: id)
        return id
    }

    private mutating func give(_ name: [UInt8], to id: ObjectID) {
        if let old = byName[name] ?? nil, old != id {
            objects[old]?.names.remove(name)
            objects[old]?.lostNames.insert(name)
            changed.insert(old)
        }
        byName[name] = .some(id)
        objects[id]?.names.insert(name)
        objects[id]?.newNames.insert(name)
        objects[id]?.lostNames.remove(name)
        objects[id]?.name = name
        changed.insert(id)
    }

    private mutating func move(_ id: ObjectID, _ from: [UInt8], _ to: [UInt8]) {
        objects[id]?.names.remove(from)
        objects[id]?.lostNames.insert(from)
        byName[from] = .some(nil)
        give(to, to: id)
    }

    /// With its last name a file ends, and its inode may be another's from now on.
    private mutating func take(_ name: [UInt8], from id: ObjectID, at time: UInt64) {
        byName[name] = .some(nil)
        objects[id]?.names.remove(name)
        objects[id]?.lostNames.insert(name)
        changed.insert(id)
        guard let object = objects[id], object.names.isEmpty, object.hiddenNames <= 0, object.kind == .file else { return }
        objects[id]?.ended = time
        ended[object.inode] = id
        if object.inode.isKnown, byInode[object.inode] == .some(.some(id)) { byInode[object.inode] = .some(nil) }
    }
}

/// Where a name means whatever the kernel makes of it.
package enum SystemPlaces {
    package static func contains(_ path: [UInt8]) -> Bool {
        if starts(path, "/dev/") { return !starts(path, "/dev/shm/") }
        return starts(path, "/proc/") || starts(path, "/sys/")
    }

    private static func starts(_ path: [UInt8], _ prefix: StaticString) -> Bool {
        guard path.count >= prefix.utf8CodeUnitCount else { return false }
        return path.starts(with: "\(prefix)".utf8)
    }
}
