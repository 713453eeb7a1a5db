package console

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

func TestGroups(t *testing.T) {
	s := newSandbox(t)
	u := s.signUp(ada)
	const role = "arn:aws:iam::123456789012:role/editors"
	five := 5
	for _, name := range []string{"editors", "..", "a/b?c&d", hostile} {
		t.Run(name, func(t *testing.T) {
			address := "/console/group?name=" + url.QueryEscape(name)
			s.post("/console/groups", "/console/groups",
				"name", name, "description", "Who writes", "precedence", "5", "role", role)
			want := userpool.Group{
				Name: name, Description: "Who writes", RoleARN: role, Precedence: &five,
			}
			check := func() {
				t.Helper()
				got, err := s.pool.Group(t.Context(), name)
				got.Created, got.Modified = time.Time{}, time.Time{}
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
			}
			check()
			if err := s.pool.AddToGroup(t.Context(), u.Username, name); err != nil {
				t.Fatal(err)
			}
			_, list := s.get("/console/groups")
			for _, text := range []string{"Who writes", ">5<", role, ada} {
				if !strings.Contains(list, text) {
					t.Errorf("the list is without %s:\n%s", text, list)
				}
			}
			// The page of the group is where the links of the list lead.
			_, page := s.get(address)
			action := actionPattern.FindStringSubmatch(page)
			if action == nil || !strings.Contains(list, `href="`+action[1]+`"`) {
				t.Fatalf("%v is not linked:\n%s", action, list)
			}
			_, body := s.post(address, action[1], "description", "", "precedence", "", "role", "")
			if !strings.Contains(body, "is changed") {
				t.Errorf("not changed:\n%s", body)
			}
			want = userpool.Group{Name: name}
			check()

			ask := "/console/group/delete?name=" + url.QueryEscape(name)
			_, body = s.get(ask)
			action = actionPattern.FindStringSubmatch(body)
			if action == nil || !strings.Contains(body, "Its members stay") {
				t.Fatalf("the page does not ask:\n%s", body)
			}
			if res, body := s.post(ask, action[1]); !strings.Contains(body, "is deleted") {
				t.Errorf("%s:\n%s", res.Status, body)
			}
			_, err := s.pool.Group(t.Context(), name)
			if userpool.CodeOf(err) != userpool.ResourceNotFound {
				t.Errorf("the group is still there: %v", err)
			}
			s.stored(u.Sub)
		})
	}
}
