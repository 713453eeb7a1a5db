package amplify_test

import (
	"slices"
	"strings"

	"github.com/amplify-go/amplify/internal/conformance"
)

var configExceptions = []conformance.Rule{
	{
		Name:   "not an object",
		Reason: "a list or a text passes through the original unread and configures nothing; here it is an error",
		Match: func(c conformance.Case) bool {
			_, object := c.In("config").(map[string]any)
			return !object && c.Want("value") != nil
		},
	},
	{
		Name:   "redirect lists are trimmed",
		Reason: "the original keeps blanks around redirect addresses and the empty text between two commas; they match no address",
		Match: func(c conformance.Case) bool {
			untidy := func(list any) bool {
				var addresses []any
				switch list := list.(type) {
				case string:
					for address := range strings.SplitSeq(list, ",") {
						addresses = append(addresses, address)
					}
				case []any:
					addresses = list
				}
				return slices.ContainsFunc(addresses, func(a any) bool {
					address, ok := a.(string)
					return ok && (address == "" || address != strings.TrimSpace(address))
				})
			}
			for _, oauth := range [][]string{
				{"config", "oauth"}, {"config", "auth", "oauth"}, {"config", "Auth", "Cognito", "loginWith", "oauth"},
			} {
				members, _ := c.In(oauth...).(map[string]any)
				for name, list := range members {
					if strings.HasPrefix(name, "redirect") && untidy(list) {
						return true
					}
				}
			}
			return false
		},
	},
	{
		Name: "accidents of JavaScript",
		Reason: "the original takes a bucket called like a member of every object for a duplicate, " +
			`and any version that begins with "1", 10 too, for the format that it knows`,
		Match: func(c conformance.Case) bool {
			version, _ := c.In("config", "version").(string)
			if strings.HasPrefix(version, "1") && version != "1" && !strings.HasPrefix(version, "1.") {
				return true
			}
			buckets, _ := c.In("config", "storage", "buckets").([]any)
			return c.Want("error") != nil && slices.ContainsFunc(buckets, func(b any) bool {
				bucket, _ := b.(map[string]any)
				name, _ := bucket["name"].(string)
				return slices.Contains([]string{"constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"}, name)
			})
		},
	},
}
