import SandboxLineage
import Testing

/// Which file a name means, record after record.
@Suite struct FileTableTests {
    private var table = FileTable(known: Earlier(), next: 1)
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    private func inode(_ number: UInt64) -> Inode { Inode(device: 7, inode: number) }
    private let unknown = Inode(device: 0, inode: 0)

    @Test mutating func aFileIsItsInodeOnceThatIsKnown() {
        let made = table.created(bytes("/a"), at: 1)
        #expect(table.file(bytes("/a"), inode(5)) == made)
        #expect(table.objects[made]?.inode == inode(5))
        #expect(table.file(bytes("/a"), unknown) == made)
    }

    @Test mutating func renamingKeepsIt() {
        let file = table.file(bytes("/a"), inode(5))
        #expect(table.renamed(bytes("/a"), to: bytes("/b"), inode(5), at: 2) == file)
        #expect(table.file(bytes("/b"), inode(5)) == file)
        #expect(table.created(bytes("/a"), at: 3) != file)
    }

    @Test mutating func renamingOverAnotherEndsThat() {
        let old = table.file(bytes("/b"), inode(6)), new = table.file(bytes("/a"), inode(5))
        _ = table.renamed(bytes("/a"), to: bytes("/b"), inode(5), at: 2)
        #expect(table.file(bytes("/b"), inode(5)) == new)
        #expect(table.objects[old]?.ended == 2)
    }

    @Test mutating func filesAndFoldersChangePlaces() {
        let a = table.file(bytes("/d/a"), inode(5)), b = table.file(bytes("/e/b"), inode(6)), c = table.file(bytes("/e/a"), inode(7))
        #expect(table.exchanged(bytes("/d/a"), bytes("/e/b"), inode(5)) == a)
        #expect(table.file(bytes("/d/a"), unknown) == b && table.file(bytes("/e/b"), unknown) == a)
        _ = table.exchanged(bytes("/d"), bytes("/e"), inode(1))
        #expect(
            table.file(bytes("/e/a"), unknown) == b && table.file(bytes("/d/b"), unknown) == a && table.file(bytes("/d/a"), unknown) == c)
        #expect(table.objects.values.allSatisfy { $0.ended == nil })
    }

    @Test mutating func aFolderTakesWhatIsInItAlong() {
        let file = table.file(bytes("/d/x/a"), inode(5)), other = table.file(bytes("/dd/a"), inode(6))
        _ = table.renamed(bytes("/d"), to: bytes("/e"), inode(1), at: 2)
        #expect(table.file(bytes("/e/x/a"), unknown) == file)
        #expect(table.file(bytes("/dd/a"), unknown) == other)
        #expect(table.file(bytes("/d/x/a"), inode(9)) != file)
    }

    @Test mutating func aHardLinkIsTheSameFileUntilItsLastNameGoes() {
        let file = table.file(bytes("/a"), inode(5))
        #expect(table.linked(bytes("/a"), to: bytes("/b"), inode(5)) == file)
        _ = table.deleted(bytes("/a"), inode(5), at: 2)
        #expect(table.objects[file]?.ended == nil)
        #expect(table.file(bytes("/b"), inode(5)) == file)
        _ = table.deleted(bytes("/b"), inode(5), at: 3)
        #expect(table.objects[file]?.ended == 3)
    }

    @Test mutating func anInodeThatIsUsedAgainIsAnotherFile() {
        let first = table.created(bytes("/tmp/1"), at: 1)
        _ = table.file(bytes("/tmp/1"), inode(5))
        _ = table.deleted(bytes("/tmp/1"), inode(5), at: 2)
        let second = table.created(bytes("/tmp/2"), at: 3)
        #expect(second != first && table.file(bytes("/tmp/2"), inode(5)) == second)
    }

    @Test mutating func aNameThatWasReplacedOutOfSightIsAnotherFile() {
        let old = table.file(bytes("/a"), inode(5))
        let new = table.file(bytes("/a"), inode(6))
        #expect(new != old && table.objects[old]?.names.isEmpty == true)
    }

    @Test mutating func whatEarlierSessionsLeftIsKnownByNameAndByInode() {
        var known = TrackedObject(id: ObjectID(rawValue: 3), kind: .file, inode: Inode(device: 7, inode: 5), name: bytes("/a"))
        known.names = [bytes("/a")]
        var table = FileTable(known: Earlier(objects: [known]), next: 10)
        #expect(table.file(bytes("/a"), inode(5)) == known.id)
        #expect(table.file(bytes("/moved"), inode(5)) == known.id)
        #expect(table.file(bytes("/a"), inode(8)).rawValue == 10)
        #expect(table.file(bytes("/new"), inode(9)).rawValue == 11)
    }

    @Test mutating func whatWasMadeIsNotWhatIsPutInItsPlaceLater() {
        var made = TrackedObject(id: ObjectID(rawValue: 3), kind: .file, inode: unknown, name: bytes("/a"), born: 1)
        made.names = [bytes("/a")]
        var same = FileTable(known: Earlier(objects: [made]), next: 10),
            other = FileTable(
                known: Earlier(objects: [made], laterNames: [bytes("/a")]), next: 10)
        #expect(same.file(bytes("/a"), inode(5)) == made.id && other.file(bytes("/a"), inode(5)) != made.id)
        // What nobody has opened since is known by where it was made.
        let new = table.created(bytes("/b"), at: 1), opened = table.created(bytes("/c"), at: 1)
        _ = table.file(bytes("/c"), inode(8))
        #expect(table.unseen(from: 1).map(\.id) == [new] && table.unseen(from: new.rawValue + 1).isEmpty && opened != new)
        table.saw(inode(9), of: new)
        #expect(table.file(bytes("/moved"), inode(9)) == new && table.unseen(from: 1).isEmpty)
    }

    @Test mutating func anOpenFileWithoutANameIsTheOneThatLostIt() {
        let file = table.created(bytes("/tmp/here"), at: 1)
        _ = table.deleted(bytes("/tmp/here"), inode(5), at: 2)
        #expect(table.stream(bytes("/tmp/here (deleted)"), inode(5)) == file)
        let pipe = table.stream(bytes("pipe:[5]"), inode(5)), again = table.stream(bytes("pipe:[5]"), inode(5))
        #expect(pipe != file && pipe == again)
    }

    @Test mutating func devicesAreNobodysFiles() {
        let null = table.file(bytes("/dev/null"), inode(5))
        #expect(table.objects[null]?.kind == .system)
        #expect(table.created(bytes("/dev/null"), at: 1) == null)
        let shared = table.file(bytes("/dev/shm/x"), inode(6))
        #expect(table.objects[shared]?.kind == .file)
    }
}
