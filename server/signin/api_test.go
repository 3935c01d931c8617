package signin_test

import (
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestSignInWithASecondStep(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		browser := in.Browser(servertest.Firefox)

		answer := browser.Password("ADA@example.test").Want(200)
		if answer.Text("state") != "second_step" {
			t.Fatalf("%s", answer.Raw)
		}
		answer = browser.Code(ada.Code()).Want(200)
		if answer.Text("state") != "signed_in" || answer.Text("method") != "totp" {
			t.Fatalf("%s", answer.Raw)
		}
		browser.Do("GET", "/api/v1/session", nil).Want(200)
	})
}
