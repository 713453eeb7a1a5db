package amplify_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/internal/conformance"
)

var configExceptions = []conformance.Rule{
	{
		Name: "another kind of file",
		Reason: "what has no part of a configuration, or has the shape of Amplify JS v5, passes through the original unread and " +
			"configures nothing; here it is an error that says which file is wanted",
		Match: func(c conformance.Case) bool {
			return !isConfiguration(c.In("config")) && c.Want("value") != nil
		},
		Instead: func(c conformance.Case) conformance.Case {
			c.Expected = json.RawMessage(`{}`)
			return c.Expect("InvalidParameterException", "error", "name")
		},
	},
	{
		Name: "unknown major version",
		Reason: `the original takes any version that begins with "1", 10 too, for the format that it knows, ` +
			"and what has another version for a ResourcesConfig, which configures nothing; here both are errors",
		Match: func(c conformance.Case) bool {
			config, _ := c.In("config").(map[string]any)
			for name := range config {
				if strings.HasPrefix(name, "aws_") {
					return false
				}
			}
			version, _ := config["version"].(string)
			major, _, _ := strings.Cut(version, ".")
			return version != "" && major != "1" && c.Want("value") != nil
		},
		Instead: func(c conformance.Case) conformance.Case {
			version, _ := c.In("config", "version").(string)
			if !regexp.MustCompile(`^[0-9.]{1,16}$`).MatchString(version) {
				version = "" // it may be a secret that is out of place
			}
			return refused(c, fmt.Sprintf("The configuration has version %q of amplify_outputs.json. This library reads 1 and 1.x.", version),
				"Update this library, or generate the outputs again (npx ampx generate outputs).")
		},
	},
	{
		Name:   "REST APIs that are no list",
		Reason: "the original fails. Here nothing depends on them: they are left out",
		Match: func(c conformance.Case) bool {
			config, _ := c.In("config").(map[string]any)
			_, list := config["aws_cloud_logic_custom"].([]any)
			// The recording does not say what more members would yield.
			return c.Want("error", "name") == "TypeError" && config["aws_cloud_logic_custom"] != nil && !list && len(config) == 2
		},
		Instead: func(c conformance.Case) conformance.Case {
			return c.ExpectNo("error").Expect(map[string]any{}, "value")
		},
	},
	{
		Name:   "redirect lists are trimmed",
		Reason: "the original keeps blanks around redirect addresses and the empty text between two commas; they match no address",
		Match: func(c conformance.Case) bool {
			return slices.ContainsFunc(redirectLists, func(name string) bool {
				list, tidy := tidyRedirects(c, name)
				return len(list) != len(tidy) || slices.ContainsFunc(list, func(v any) bool { return !slices.Contains(tidy, v) })
			})
		},
		Instead: func(c conformance.Case) conformance.Case {
			for _, name := range redirectLists {
				_, tidy := tidyRedirects(c, name)
				c = c.Expect(tidy, "value", "Auth", "Cognito", "loginWith", "oauth", name)
			}
			return c
		},
	},
	{
		Name:   "buckets called like members of every object",
		Reason: "the original takes a bucket called constructor for a duplicate. Here it is a name like any other",
		Match: func(c conformance.Case) bool {
			named := 0
			for _, b := range buckets(c) {
				if c.Want("error", "message") == fmt.Sprintf("Duplicate friendly name found: %v. Name must be unique.", b["name"]) {
					named++
				}
			}
			config, _ := c.In("config").(map[string]any)
			return named == 1 && len(config) == 2 // the version and the buckets: the recording says nothing about the rest
		},
		Instead: func(c conformance.Case) conformance.Case {
			byName := map[string]any{}
			for _, b := range buckets(c) {
				byName[fmt.Sprint(b["name"])] = map[string]any{"bucketName": b["bucket_name"], "region": b["aws_region"], "paths": b["paths"]}
			}
			return c.ExpectNo("error").Expect(map[string]any{
				"bucket": c.In("config", "storage", "bucket_name"), "region": c.In("config", "storage", "aws_region"), "buckets": byName,
			}, "value", "Storage", "S3")
		},
	},
	{
		Name:   "names that are missing",
		Reason: `the original writes them as the text "undefined". Here they are empty`,
		Match: func(c conformance.Case) bool {
			message, _ := c.Want("error", "message").(string)
			if strings.HasPrefix(message, "Duplicate friendly name found: undefined.") {
				return true
			}
			return slices.ContainsFunc(named, func(path []string) bool { return c.Want(append(path, "undefined")...) != nil })
		},
		Instead: func(c conformance.Case) conformance.Case {
			if message, ok := c.Want("error", "message").(string); ok {
				return c.Expect(strings.Replace(message, ": undefined.", ": .", 1), "error", "message")
			}
			for _, path := range named {
				if without := append(path, "undefined"); c.Want(without...) != nil {
					c = c.Expect(c.Want(without...), append(path, "")...).ExpectNo(without...)
				}
			}
			return c
		},
	},
}

// named are the places where the original writes parts by their names.
var named = [][]string{
	{"value", "Storage", "S3", "buckets"}, {"value", "API", "REST"}, {"value", "Interactions", "LexV1"},
}

// isConfiguration reports whether v has a part of a configuration, or a version, and its ids where
// Amplify JS v6 has them.
func isConfiguration(v any) bool {
	config, _ := v.(map[string]any)
	has := func(in map[string]any, names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { _, ok := in[name]; return ok })
	}
	for name := range config {
		if strings.HasPrefix(name, "aws_") {
			return true
		}
	}
	resources := has(config, "API", "Analytics", "Auth", "Geo", "Interactions", "Notifications", "Predictions", "Storage")
	outputs := has(config, "auth", "data", "storage", "analytics", "geo", "notifications", "custom")
	if version, ok := config["version"]; ok && version != "" {
		return resources || outputs || !has(config, "name", "scripts", "dependencies", "devDependencies")
	}
	ids := []string{"userPoolId", "userPoolWebClientId", "userPoolClientId", "identityPoolId"}
	auth, _ := config["Auth"].(map[string]any)
	return resources && (has(auth, "Cognito") || !has(auth, ids...) && !has(config, ids...))
}

// refused returns c with our error in place of what is expected.
func refused(c conformance.Case, message, suggestion string) conformance.Case {
	c.Expected = json.RawMessage(`{}`)
	return c.Expect(map[string]any{"name": "InvalidParameterException", "message": message, "recoverySuggestion": suggestion}, "error")
}

var redirectLists = []string{"redirectSignIn", "redirectSignOut"}

// tidyRedirects returns the recorded list of redirect addresses of that name, and the
// same without blanks and empty texts.
func tidyRedirects(c conformance.Case, name string) (list, tidy []any) {
	list, _ = c.Want("value", "Auth", "Cognito", "loginWith", "oauth", name).([]any)
	for _, v := range list {
		if address, ok := v.(string); ok && strings.TrimSpace(address) != "" {
			tidy = append(tidy, strings.TrimSpace(address))
		}
	}
	return list, tidy
}

// buckets returns the buckets of a Gen 2 file.
func buckets(c conformance.Case) (all []map[string]any) {
	list, _ := c.In("config", "storage", "buckets").([]any)
	for _, v := range list {
		bucket, _ := v.(map[string]any)
		all = append(all, bucket)
	}
	return all
}
