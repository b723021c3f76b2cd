"""Sentences for what is wrong with boxes and with files of detections in COCO's form. See `scoring.messages`."""

from scoring.messages_of_form import N_

BOXES = {
    "E-BOX-SIZE": (
        N_("The box of the case %(case)s has no size (%(value)s)."),
        N_("Write a width and a height above 0: a box is x, y, width, height, and not two corners."),
    ),
    "E-BBOX": (
        N_("The bbox of item %(line)s of the list is %(value)s; four numbers are expected."),
        N_("Write [x, y, width, height], four numbers in pixels."),
    ),
    "E-COCO": (
        N_("The file is not a list of detections; it begins with %(value)s."),
        N_('Write [{"image_id": 1, "category_id": 1, "bbox": [x, y, width, height], "score": 0.9}, …].'),
    ),
    "E-COCO-TRUTH": (
        N_("This is an object with the key %(value)s, as a file of annotations is; a list of detections is expected."),
        N_("Send the list of detections alone, as COCO.loadRes reads it."),
    ),
    "E-COCO-ANNOTATIONS": (
        N_("The reference has no list under the key “annotations”."),
        N_('Write {"images": […], "annotations": […], "categories": […]}, as COCO does.'),
    ),
    "E-COCO-ITEM": (
        N_("Item %(line)s of the list is no object: %(value)s."),
        N_("Write each item as an object with image_id, category_id, bbox and score."),
    ),
    "E-COCO-JSON": (
        N_("The JSON is not valid or breaks off in or after item %(line)s of the list, at %(value)s."),
        N_("Write the file with json.dump, and check that it was written and sent to its end."),
    ),
    "E-COCO-DEPTH": (
        N_("Lists or objects stand too deep in each other in item %(line)s of the list."),
        N_("Write flat items, with bbox as their only list."),
    ),
    "E-COCO-END": (
        N_("Something follows the end of the list: %(value)s."),
        N_("Write one list and nothing after it."),
    ),
    "W-COCO-ITEMS": (
        N_("In this file lines are items: “line 12” is the twelfth item of the list."),
        N_("Nothing needs to be done; it says how to find what is told above."),
    ),
}
