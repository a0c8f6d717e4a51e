"""Uploading processes: what is stored, what is refused and in which words."""

from __future__ import annotations

import pytest

from engine.models import Deployment, ProcessDefinition
from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand

BOMB = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><d>&b;</d>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><d>&f;</d>'
HOSTILE = {
    "not xml": (b"PK\x03\x04 this is a zip", "не читается как XML"),
    "cut off": (errand()[:900], "не читается как XML"),
    "empty": (b"", ""),
    "entity bomb": (BOMB, "DOCTYPE"),
    "external entity": (OUTSIDE, "DOCTYPE"),
    "UTF-16": (errand().decode().encode("utf-16"), "UTF-8"),
    "nulls": (b"\x00" * 2000, ""),
    "code in a timer": (errand(timer="=__import__('os').system('id')"), ""),
}


def test_an_uploaded_process_is_a_draft_and_the_list_says_who_and_why(office: Office, analyst: Visitor) -> None:
    answer = analyst.upload({"errand.bpmn": errand()}, comment="Первая проба")

    assert answer.status_code == 303
    definition = office.one(ProcessDefinition, 1)
    assert (definition.key, definition.version, definition.state) == ("errand", 1, "draft")
    assert definition.created_by == analyst.agent.ref
    page = analyst.get(answer.location).text
    assert "Набор сохранён" in page
    assert "Поручение, версия 1" in page


def test_an_upload_may_become_active_at_once(office: Office, analyst: Visitor) -> None:
    analyst.upload({"errand.bpmn": errand()}, activate="yes")

    assert office.one(ProcessDefinition, 1).state == "active"


def test_the_same_bundle_again_changes_nothing_and_says_so(office: Office, analyst: Visitor) -> None:
    analyst.upload({"errand.bpmn": errand()})

    answer = analyst.upload({"errand.bpmn": errand()})

    assert len(office.all(ProcessDefinition)) == 1
    assert "уже загружен" in analyst.get(answer.location).text


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_broken_or_hostile_file_is_refused_in_words_and_nothing_is_stored(
    kind: str, office: Office, analyst: Visitor
) -> None:
    content, words = HOSTILE[kind]

    answer = analyst.upload({"errand.bpmn": content})

    assert answer.status_code == 422
    assert "Не загружено: найдены ошибки" in answer.text
    assert "errand.bpmn" in answer.text
    assert words in answer.text
    assert office.all(Deployment) == []


def test_every_finding_is_shown_with_its_element_and_line(office: Office, analyst: Visitor) -> None:
    broken = errand(timer="когда-нибудь").replace(b'"test.deliver"', b'"no.such"')

    answer = analyst.upload({"errand.bpmn": broken})

    assert answer.status_code == 422
    assert "remind" in answer.text
    assert "deliver" in answer.text
    assert "строка" in answer.text


def test_a_finding_says_how_it_can_be_corrected(office: Office, analyst: Visitor) -> None:
    slip = errand().replace(b' targetNamespace="urn:bpmdesk:processes"', b"")

    analyst.upload({"errand.bpmn": slip})

    (definition,) = office.all(ProcessDefinition)
    page = analyst.get(f"/admin/processes/{definition.key}").text
    assert "Безопасное исправление: Задать targetNamespace" in page
    assert definition.lint[0]["fix"]["edits"][0]["name"] == "targetNamespace"


def test_one_bad_file_keeps_the_whole_bundle_out(office: Office, analyst: Visitor) -> None:
    answer = analyst.upload({"errand.bpmn": errand(), "second.bpmn": b"<oops"})

    assert answer.status_code == 422
    assert office.all(Deployment) == []


def test_a_file_beyond_the_limit_is_refused_by_name(office: Office, analyst: Visitor) -> None:
    answer = analyst.upload({"huge.bpmn": b" " * (1024 * 1024 + 1)})

    assert answer.status_code == 422
    assert "huge.bpmn" in answer.text
    assert "больше 1 МБ" in answer.text


def test_a_request_beyond_all_limits_is_refused_without_an_error_of_ours(analyst: Visitor) -> None:
    answer = analyst.send("/admin/processes", b"-" * (27 * 1024 * 1024), "multipart/form-data; boundary=b")

    assert answer.status_code == 413
    assert "Слишком большой файл" in answer.text


def test_a_path_in_a_file_name_leads_nowhere(office: Office, analyst: Visitor) -> None:
    analyst.upload({"../../etc/errand.bpmn": errand()})

    assert office.one(ProcessDefinition, 1).resource_id
    assert "etc" not in analyst.get("/admin/processes/errand").text.split("process-diagram")[0].split("Версия 1")[1]


@pytest.mark.parametrize("name", ["errand.exe", "errand", ".bpmn", "x" * 300 + ".bpmn", "a\u202eb.bpmn"])
def test_a_name_that_is_no_process_is_refused(name: str, office: Office, analyst: Visitor) -> None:
    answer = analyst.upload({name: errand()})

    assert answer.status_code == 422
    assert office.all(Deployment) == []


def test_an_upload_without_files_asks_for_one(analyst: Visitor) -> None:
    answer = analyst.post("/admin/processes", comment="ничего")

    assert answer.status_code == 422
    assert "Выберите файл" in answer.text
