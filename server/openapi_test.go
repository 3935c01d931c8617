package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/servertest"
)

// TestOpenAPI shows every change of the HTTP interface in review, and that the command prints what is served.
func TestOpenAPI(t *testing.T) {
	document, err := server.OpenAPI("test")
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, document, "", "  "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	golden(t, "openapi.golden.json", indented.String())

	in := servertest.OnSQLite(t)
	served := in.Browser(servertest.Firefox).Do("GET", "/api/openapi.json", nil).Want(200)
	if !bytes.Equal(served.Raw, document) {
		t.Error("what is served is not what the command prints")
	}

	var read struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Access      string `json:"x-access"`
			Responses   map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(document, &read); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(read.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", read.OpenAPI)
	}
	described := 0
	for path, methods := range read.Paths {
		for method, operation := range methods {
			described++
			if operation.OperationID == "" || operation.Access == "" || operation.Access == "undeclared" || len(operation.Responses["default"]) == 0 {
				t.Errorf("%s %s: %+v", method, path, operation)
			}
		}
	}
	if served := len(operations(t, in)); served != described {
		t.Errorf("%d operations are served, %d described", served, described)
	}
}

// TestCodes lists every code that an answer can carry. The front end holds its words to the same list, so a code that
// is new here has words there before it is seen by anybody.
func TestCodes(t *testing.T) {
	var lists codes
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "test/") {
			return err
		}
		return lists.read(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(lists.problems) == 0 || len(lists.fields) == 0 || len(lists.reasons) == 0 {
		t.Fatalf("found nothing: %+v", lists)
	}
	var text strings.Builder
	for _, list := range []struct {
		title string
		found []string
	}{{"problem", lists.problems}, {"field", lists.fields}, {"reason", lists.reasons}} {
		slices.Sort(list.found)
		for _, code := range slices.Compact(list.found) {
			fmt.Fprintf(&text, "%s %s\n", list.title, code)
		}
	}
	golden(t, "codes.golden", text.String())
}

// codes are found where they are written: in calls of problem.New, in values of problem.Field, and as constants of
// diagnosis.Reason, there and in the rooms that have reasons of their own.
type codes struct{ problems, fields, reasons []string }

func (c *codes) read(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	var failed error
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.CallExpr:
			made := name(node.Fun) == "problem.New" || file.Name.Name == "problem" && name(node.Fun) == "New"
			if made && len(node.Args) == 3 {
				code, ok := literal(node.Args[1])
				if !ok {
					failed = fmt.Errorf("%s: a problem's code is no plain text", path)
				}
				c.problems = append(c.problems, code)
			}
		case *ast.CompositeLit:
			if list, ok := node.Type.(*ast.ArrayType); ok && name(list.Elt) == "problem.Field" {
				for _, element := range node.Elts { // which may leave their type out
					if one, ok := element.(*ast.CompositeLit); ok && one.Type == nil {
						one.Type = list.Elt
					}
				}
			}
			if name(node.Type) != "problem.Field" && (file.Name.Name != "problem" || name(node.Type) != "Field") {
				return true
			}
			for _, element := range node.Elts {
				pair, ok := element.(*ast.KeyValueExpr)
				if !ok || name(pair.Key) != "Code" {
					continue
				}
				if code, ok := literal(pair.Value); ok {
					c.fields = append(c.fields, code)
				} else if !c.handedIn(file, pair.Value) {
					failed = fmt.Errorf("%s: a field's code is no plain text", path)
				}
			}
		case *ast.ValueSpec:
			if name(node.Type) == "Reason" && file.Name.Name == "diagnosis" || name(node.Type) == "diagnosis.Reason" {
				for _, value := range node.Values {
					code, ok := literal(value)
					if !ok {
						failed = fmt.Errorf("%s: a reason is no plain text", path)
					}
					c.reasons = append(c.reasons, code)
				}
			}
		}
		return true
	})
	return failed
}

// handedIn takes the codes of a function that makes fields from its first argument: those of all its calls.
func (c *codes) handedIn(file *ast.File, value ast.Expr) bool {
	found := false
	ast.Inspect(file, func(node ast.Node) bool {
		assigned, ok := node.(*ast.AssignStmt)
		if !ok || len(assigned.Rhs) != 1 {
			return true
		}
		made, ok := assigned.Rhs[0].(*ast.FuncLit)
		if !ok || len(made.Type.Params.List) == 0 || made.Type.Params.List[0].Names[0].Name != name(value) {
			return true
		}
		maker := name(assigned.Lhs[0])
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || name(call.Fun) != maker {
				return true
			}
			code, ok := literal(call.Args[0])
			if ok {
				c.fields = append(c.fields, code)
			}
			found = ok
			return true
		})
		return true
	})
	return found
}

// name is an identifier with its package, empty for anything else.
func name(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return name(e.X) + "." + e.Sel.Name
	}
	return ""
}

func literal(expression ast.Expr) (string, bool) {
	basic, ok := expression.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(basic.Value)
	return text, err == nil
}
