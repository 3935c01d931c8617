package server_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestRandomnessComesFromOnePlace is the static half of row 64: no package that draws guessable numbers or ids is
// imported by the product, but for the pauses between retries, which nobody has to guess.
func TestRandomnessComesFromOnePlace(t *testing.T) {
	refused := []string{"math/rand", "github.com/google/uuid", "github.com/gofiber/fiber/v2/utils", "github.com/gofiber/fiber/v2/middleware/session"}
	allowed := map[string]string{"database/postgres.go": "math/rand/v2"}
	files := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			for _, bad := range refused {
				if (imported == bad || strings.HasPrefix(imported, bad+"/")) && allowed[filepath.ToSlash(path)] != imported {
					t.Errorf("%s imports %s", path, imported)
				}
			}
		}
		return nil
	})
	if err != nil || files < 50 {
		t.Fatalf("%d files: %v", files, err)
	}
}
