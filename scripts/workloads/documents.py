"""documents.py - one thread: objects, dictionaries, strings, JSON, sorting."""
import json


class Document:
    def __init__(self, number):
        self.number = number
        self.title = f"document {number}"
        self.words = [f"w{number * k % 97}" for k in range(number % 37)]

    def fields(self):
        return {"number": self.number, "title": self.title,
                "words": self.words}


documents = [Document(i) for i in range(450)]
text = json.dumps([d.fields() for d in documents])
index = {}
for fields in json.loads(text):
    for word in fields["words"]:
        index.setdefault(word, []).append((fields["number"], fields["title"]))
ranked = sorted(index.items(), key=lambda pair: (-len(pair[1]), pair[0]))
print(len(text), [(word, len(where)) for word, where in ranked[:3]])
