package people_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/people"
)

// The front end reads by the same rules, with tests of the same cases: frontend/src/screens/import/file.test.ts.
func TestReadFile(t *testing.T) {
	for what, text := range map[string]string{
		"plain":                "name,email\nBo,bo@example.test",
		"a byte order mark":    "\ufeffname,email\nBo,bo@example.test\n",
		"line ends of Windows": "name,email\r\nBo,bo@example.test\r\n",
		"semicolons":           "E-Mail;Department;NAME\nbo@example.test;Sales; Bo \n",
		"tabs":                 "name\temail\nBo\tbo@example.test",
		"quotes":               "\"name\",\"email\"\n\"Bo\",\"bo@example.test\"",
		"rows of nothing":      "name,email\nBo,bo@example.test\n,\n\n , \n",
	} {
		file, err := people.ReadFile([]byte(text))
		if err != nil || len(file.Bad) > 0 || !slices.Equal(file.Candidates, []people.Candidate{{Line: 2, Name: "Bo", Email: "bo@example.test"}}) {
			t.Errorf("%s: %+v, %v", what, file, err)
		}
	}

	file, err := people.ReadFile([]byte("name,email,team\n\n\"Bo, the \"\"second\"\"\",bo@example.test\n\"Cy\nDi\",cy@example.test\nEd,ed@example.test,x,more\nF\"red,f@example.test\nGil,g@example.test\nHal,\"open\nmore"))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, candidate := range file.Candidates {
		said = append(said, fmt.Sprintf("%d %q", candidate.Line, candidate.Name))
	}
	for _, bad := range file.Bad {
		said = append(said, fmt.Sprintf("%d %s", bad.Line, bad.Fields[0].Code))
	}
	if want := []string{`3 "Bo, the \"second\""`, `4 "Cy\nDi"`, `8 "Gil"`, "6 too_many_columns", "7 quotes", "9 quotes"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
	if !slices.Equal(file.Unused, []string{"team"}) {
		t.Errorf("%q", file.Unused)
	}

	for text, reason := range map[string]string{
		"":                        "empty",
		" \n":                     "among them name and email",
		"Bo,bo@example.test":      "among them name and email",
		"name,email,E-Mail":       "email twice",
		"name,email\nJ\xfcrgen,x": "not UTF-8",
		"na\"me,email\nBo,x":      "first line",
	} {
		if _, err := people.ReadFile([]byte(text)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRecordHasNoFormula(t *testing.T) {
	got := audit.Line("=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "=1\n2", `=HYPERLINK("x","y")`, "a=1", "a;=1", "")
	want := `"'=1+1","'+1","'-1","'@A1","'` + "\t" + `=1","'` + "\r" + `=1","'=1` + "\n" + `2","'=HYPERLINK(""x"",""y"")","a=1","a;=1",""` + "\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
