"""The library: sound that people upload or have spoken, levelled, stored by digest, and listened to.

What other capabilities use:

* `controller.library.queries.find_media(connection, digest, scopes=...)` gives a `domain.Media` or None;
  `controller.library.domain.Media.ref()` is what goes into a signed schedule or alert.
* `app[LIBRARY].speak(Wanted(...))` speaks a text and gives its `Media` (`controller.library.service`).
* `app[MEDIA]` is the storage by digest (`controller.ports.MediaStorage`); `GET /media/<digest>` serves it to all.

For a form that needs a sound (the compose page):

    {% from "library/_chooser.html" import chooser with context %}
    <form ...> ... {{ chooser(media=media, unit_field="unit", title_field="title", text=speech_text) }} ... </form>
    {% block scripts %}<script src="/static/library/chooser.js" type="module"></script>{% endblock %}
    {% block styles %}<link rel="stylesheet" href="/static/library/library.css">{% endblock %}

`media` is the `Media` chosen before, or None; `unit_field` and `title_field` name the inputs of the same form that
say for which unit and under which title; `unit` may be given instead as a fixed path. The chooser yields the hidden
input `media_digest` (empty until there is a sound) and the text that was typed as `speech_text`, so that a form shown
again after a mistake loses nothing. It tells the page with the event `library:chosen` (detail: the media as JSON, or
null when it was put back) on its own element; an empty title input is filled from the sound. All errors are shown in
place. While something is uploaded or spoken, its element has the attribute `data-working`.

JSON below `/api/v1` (described in the OpenAPI document):

* `POST /media` multipart `unit`, `title`, `file` (in this order), answers 201 with the media when it is ready; with
  `?wait=0` it answers 202 with a job at once. The same sound in the same unit is the same media.
* `POST /speech` JSON `{unit, title, text, language}`, the same answers.
* `GET /media/jobs/{job}` tells how far it is, `DELETE` gives it up.
* `GET /media?search=&unit=&origin=&before=` lists, `GET /media/{digest}` shows one with its waveform.
"""
