// A backend of Cortex Gateway: tasks, each with one owner. Put your own data and tools in the place of these.
package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const maxBody = 1 << 20

// Refusal is answered with another status than 200. Write Message for an agent: it reads the text and acts on it.
type Refusal struct {
	Status   int
	Message  string
	Required string
}

type params = map[string]any

// Task belongs to one user.
type Task struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	IsDone bool   `json:"isDone"`
	owner  string
}

var (
	mutex sync.Mutex
	tasks = map[string]*Task{}
	order []string
)

func listTasks(user User, given params) (any, *Refusal) {
	mutex.Lock()
	defer mutex.Unlock()
	all, _ := given["all"].(bool)
	own := []Task{}
	for _, id := range order {
		if task := tasks[id]; task.owner == user.Key && (all || !task.IsDone) {
			own = append(own, *task)
		}
	}
	return map[string]any{"tasks": own}, nil
}

func addTask(user User, given params) (any, *Refusal) {
	title, _ := given["title"].(string)
	if title == "" || len(title) > 2000 {
		return nil, &Refusal{Status: 422, Message: "A task has a title of 1 to 2000 bytes."}
	}
	var id [4]byte
	rand.Read(id[:])
	mutex.Lock()
	defer mutex.Unlock()
	task := &Task{ID: hex.EncodeToString(id[:]), Title: title, owner: user.Key}
	tasks[task.ID] = task
	order = append(order, task.ID)
	return *task, nil
}

func completeTask(user User, given params) (any, *Refusal) {
	mutex.Lock()
	defer mutex.Unlock()
	id, _ := given["id"].(string)
	task := tasks[id]
	if task == nil {
		return nil, &Refusal{Status: 404, Message: "There is no such task; list_tasks shows yours."}
	}
	// The gateway says who asks; who may do what is decided here.
	if task.owner != user.Key {
		return nil, &Refusal{Status: 403, Message: "This task belongs to somebody else."}
	}
	task.IsDone = true
	return *task, nil
}

const read, write = "mcp:tasks:read", "mcp:tasks:write"

// Tool is listed as it stands here; Run is ours.
type Tool struct {
	Name        string                                        `json:"name"`
	Scope       string                                        `json:"scope"`
	Description string                                        `json:"description"`
	Params      map[string]string                             `json:"params"`
	Annotations map[string]bool                               `json:"annotations,omitempty"`
	Run         func(user User, given params) (any, *Refusal) `json:"-"`
}

var tools = []Tool{
	{"list_tasks", read, "List your tasks, the open ones unless asked for all.", map[string]string{"all": "boolean?"}, map[string]bool{"readOnlyHint": true}, listTasks},
	{"add_task", write, "Add a task of your own.", map[string]string{"title": "string"}, nil, addTask},
	{"complete_task", write, "Mark one of your tasks as done.", map[string]string{"id": "string"}, map[string]bool{"idempotentHint": true}, completeTask},
}

// What is no tool: the lists, for the technical token; the rest, for users.
var lists = map[string]any{
	"list_tools": map[string]any{"tools": tools},
	// "list_prompts": map[string]any{"prompts": []any{params{"name": "plan_day", "description": "Plan my day.", "scope": read}}},
	// "list_resources": map[string]any{"resources": []any{params{"uri": "tasks://help", "name": "Help", "scope": read}}},
}

// What a gateway asks for with the technical token, whether or not it is here.
var optionalLists = []string{"list_prompts", "list_resources", "list_resource_templates", "get_snapshot"}

var methods = map[string]func(user User, given params) any{
	"get_help": func(User, params) any {
		return params{"overview": "Tasks, each with one owner.", "workflows": []string{"list_tasks, then complete_task"}}
	},
	"whoami": func(user User, _ params) any { return params{"name": user.Name, "mayWrite": user.Has(write)} },
	// "get_prompt": func(User, params) any { return params{"messages": []any{params{"role": "user", "content": params{"type": "text", "text": "Plan my day."}}}} },
	// "read_resource": func(_ User, given params) any { return params{"contents": []any{params{"uri": given["uri"], "mimeType": "text/plain", "text": "Tasks."}}} },
}

func answer(request *http.Request) (any, *Refusal) {
	raw, err := io.ReadAll(io.LimitReader(request.Body, maxBody+1))
	if len(raw) > maxBody {
		return nil, &Refusal{Status: 413, Message: "The request is larger than 1 MB."}
	}
	var call struct {
		Method string `json:"method"`
		Params any    `json:"params"`
	}
	if err != nil || json.Unmarshal(raw, &call) != nil || call.Method == "" {
		return nil, &Refusal{Status: 400, Message: `The body is {"method": "...", "params": {...}}.`}
	}
	given, _ := call.Params.(params)
	_, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	list := lists[call.Method]
	if subtle.ConstantTimeCompare([]byte(token), []byte(technicalToken)) == 1 {
		if list != nil {
			return list, nil
		}
		if slices.Contains(optionalLists, call.Method) {
			return nil, &Refusal{Status: 404, Message: "Unknown method"}
		}
		return nil, &Refusal{Status: 403, Message: "The technical token reads the lists alone."}
	}
	user, isKnown := authenticate(token)
	if !isKnown {
		return nil, &Refusal{Status: 401, Message: "This token is not accepted."}
	}
	if list != nil {
		return nil, &Refusal{Status: 403, Message: "The lists are read with the technical token."}
	}
	if method := methods[call.Method]; method != nil && request.Header.Get("X-Cortex-Kind") != "tool" {
		return method(user, given), nil
	}
	for _, tool := range tools {
		if tool.Name != call.Method {
			continue
		}
		if !user.Has(tool.Scope) {
			return nil, &Refusal{Status: 403, Message: "A scope is missing.", Required: tool.Scope}
		}
		return tool.Run(user, given)
	}
	return nil, &Refusal{Status: 404, Message: fmt.Sprintf("Unknown method %.100s", call.Method)}
}

func handle(response http.ResponseWriter, request *http.Request) {
	status, body := 200, any(params{"ok": true})
	if request.URL.Path != "/healthz" {
		result, refusal := answer(request)
		body = result
		if refusal != nil {
			problem := params{"error": refusal.Message}
			if refusal.Required != "" {
				problem["required"] = refusal.Required
			}
			status, body = refusal.Status, problem
		}
	}
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(status)
	json.NewEncoder(response).Encode(body)
}

func main() {
	if technicalToken == "" {
		log.Fatal("Set CORTEX_TECHNICAL_TOKEN to the secret shared with the gateway.")
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(setting("HOST", "127.0.0.1"), setting("PORT", "4820")))
	if err != nil {
		log.Fatal(err)
	}
	if isDevelopment {
		fmt.Println("development: tokens of any issuer on 127.0.0.1 are accepted; set OAUTH_ISSUER")
	}
	fmt.Printf("listening on %d\n", listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: http.HandlerFunc(handle), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
