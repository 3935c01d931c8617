package people

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/secondstep/secondstep/server/problem"
)

// columns are those of a file of people. The front end reads files by the same rules: frontend/src/screens/import/file.ts.
var columns = []string{"name", "email", "role", "requirement", "deadline", "reason"}

var (
	tooManyColumns = problem.Field{Name: "line", Code: "too_many_columns"} // a comma that is not in quotes
	strayQuotes    = problem.Field{Name: "line", Code: "quotes"}           // one is open or stands in the middle
)

// File is what a file of people says.
type File struct {
	Candidates []Candidate
	Bad        []Verdict // lines that can't even be read
	Unused     []string  // columns that mean nothing here
}

// ReadFile reads CSV: UTF-8, a line that names the columns in any order, and cells that commas, semicolons or tabs keep
// apart, in quotes where they hold one. It fails where no line could be read.
func ReadFile(content []byte) (File, error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if !utf8.Valid(content) {
		return File{}, errors.New("the file is not UTF-8: save it as CSV UTF-8")
	}
	rows := csv.NewReader(bytes.NewReader(content))
	rows.Comma, rows.FieldsPerRecord = comma(content), -1
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return File{}, errors.New("the file is empty")
	}
	if err != nil {
		return File{}, errors.New("the first line can't be read: it must name the columns, such as name,email,role")
	}
	file := File{}
	place := map[string]int{}
	for n, title := range header {
		switch key := columnOf(title); {
		case key == "":
			file.Unused = append(file.Unused, strings.TrimSpace(title))
		case place[key] > 0:
			return File{}, fmt.Errorf("the first line names the column %s twice", key)
		default:
			place[key] = n + 1
		}
	}
	if place["name"] == 0 || place["email"] == 0 {
		return File{}, errors.New("the first line must name the columns, and among them name and email")
	}
	for {
		cells, err := rows.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return file, nil
		case errors.As(err, &broken):
			file.Bad = append(file.Bad, Verdict{Candidate: Candidate{Line: broken.StartLine}, Fields: []problem.Field{strayQuotes}})
			continue
		case err != nil:
			return File{}, fmt.Errorf("read the file: %w", err)
		}
		cell := func(key string) string {
			if n := place[key]; n > 0 && n <= len(cells) {
				return strings.TrimSpace(cells[n-1])
			}
			return ""
		}
		line, _ := rows.FieldPos(0)
		candidate := Candidate{
			Line: line, Name: cell("name"), Email: cell("email"),
			Role: cell("role"), Requirement: cell("requirement"), Deadline: cell("deadline"), Reason: cell("reason"),
		}
		switch {
		case !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }):
			// A spreadsheet ends with rows of nothing but commas.
		case len(cells) > len(header):
			file.Bad = append(file.Bad, Verdict{Candidate: candidate, Fields: []problem.Field{tooManyColumns}})
		default:
			file.Candidates = append(file.Candidates, candidate)
		}
	}
}

// columnOf is which column a title means; empty for none.
func columnOf(title string) string {
	key := plain(title)
	if key == "e-mail" {
		key = "email"
	}
	if slices.Contains(columns, key) {
		return key
	}
	return ""
}

// comma is what the first line has most of.
func comma(content []byte) rune {
	first, _, _ := bytes.Cut(content, []byte("\n"))
	best, most := ',', bytes.Count(first, []byte(","))
	for _, other := range []rune{';', '\t'} {
		if n := bytes.Count(first, []byte(string(other))); n > most {
			best, most = other, n
		}
	}
	return best
}
