// Verifies a folder of tiles with golang.org/x/mod/sumdb: note signature, root from tiles, every entry's
// leaf hash, inclusion and consistency. Written against that library alone; knows nothing of our code.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"verify/note"
	"verify/tlog"
)

type files struct{ folder string }

func (f files) Height() int                              { return 8 }
func (f files) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Its paths begin with the height of a tile, which C2SP fixes at 8 and leaves out.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(f.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func check(err error) {
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func entries(folder string, size int64) [][]byte {
	var all [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := min(256, size-n*256)
		tile := tlog.Tile{H: 8, L: 0, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(folder, path))
		check(err)
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			if len(data) < 2+length {
				check(fmt.Errorf("bundle %d is cut off", n))
			}
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
	}
	return all
}

func main() {
	folder, vkey := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(vkey)
	check(err)
	message, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	check(err)
	opened, err := note.Open(message, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		check(fmt.Errorf("origin %s", lines[0]))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	reader := tlog.TileHashReader(tree, files{folder})
	computed, err := tlog.TreeHash(size, reader)
	check(err)
	if computed != tree.Hash {
		check(fmt.Errorf("another root"))
	}
	all := entries(folder, size)
	if int64(len(all)) != size {
		check(fmt.Errorf("%d entries", len(all)))
	}
	var stored []tlog.Hash
	for index, entry := range all {
		hashes, err := tlog.StoredHashes(int64(index), entry, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			var found []tlog.Hash
			for _, i := range indexes {
				found = append(found, stored[i])
			}
			return found, nil
		}))
		check(err)
		stored = append(stored, hashes...)
	}
	memory := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, i := range indexes {
			found = append(found, stored[i])
		}
		return found, nil
	})
	rebuilt, err := tlog.TreeHash(size, memory)
	check(err)
	if rebuilt != tree.Hash {
		check(fmt.Errorf("the entries give another root"))
	}
	for _, tile := range tlog.NewTiles(8, 0, size) {
		expected, err := tlog.ReadTileData(tile, memory)
		check(err)
		found, err := files{folder}.ReadTiles([]tlog.Tile{tile})
		check(err)
		if !bytes.Equal(expected, found[0]) {
			check(fmt.Errorf("%s does not follow from the entries", tile.Path()))
		}
	}
	for _, index := range []int64{0, size / 3, size / 2, size - 1} {
		proof, err := tlog.ProveRecord(size, index, reader)
		check(err)
		check(tlog.CheckRecord(proof, size, tree.Hash, index, tlog.RecordHash(all[index])))
		older, err := tlog.TreeHash(index+1, memory)
		check(err)
		tree_proof, err := tlog.ProveTree(size, index+1, reader)
		check(err)
		check(tlog.CheckTree(tree_proof, size, tree.Hash, index+1, older))
	}
	fmt.Println("accepted", size)
}
