//! What a file is that should be a safetensors file and is none, in the words of its user.

use std::path::Path;

use safetensors::SafeTensorError;

/// Formats of weights that are not read: first bytes, name, and what makes a safetensors file of it. `{in}` is the
/// file, `{out}` its name without extension.
const FOREIGN: [(&[u8], &str, &str); 8] = [
    (b"PK\x03\x04", "a ZIP archive, as torch.save and numpy.savez write it", FROM_TORCH),
    (b"\x80\x02", "a pickle, as torch.save wrote it before version 1.6", FROM_TORCH),
    (b"\x80\x04", "a pickle", "save its arrays with safetensors.numpy.save_file in the program that wrote it"),
    (b"\x89HDF", "an HDF5 file, as Keras writes it", "save its arrays with safetensors.numpy.save_file in Keras"),
    (
        b"\x93NUMPY",
        "one NumPy array",
        "save all arrays with safetensors.numpy.save_file({'B': …, 'layers.0.weight': …}, '{out}.safetensors')",
    ),
    (b"GGUF", "a GGUF file", "take the safetensors file that it was made of"),
    (b"version https://git-lfs", "a pointer of Git LFS and not the file itself", "get the file with git lfs pull"),
    (b"<", "a page of HTML or XML, as a failed download leaves it", "download it again"),
];

const FROM_TORCH: &str = "convert it with python -c \"import torch, safetensors.torch as s; \
                          s.save_file({k: v.contiguous() for k, v in torch.load('{in}', map_location='cpu').items()}, \
                          '{out}.safetensors')\"";

/// Ends every sentence about a file that was a safetensors file once.
const AGAIN: &str = "copy it again, or make it anew";

/// What is wrong with a file whose checksum is another one than that of its content.
pub(super) const OF_CHECKSUM: &str = "is damaged: its content does not fit its checksum; take a copy of it, or make it anew with the \
                                      command that made it. If another program changed it on purpose, remove the entry checksum \
                                      from its metadata";

/// Headers are refused by the format from here on.
const LONGEST_HEADER: u64 = 100_000_000;

/// What is wrong with these bytes, which the reader of safetensors refuses with `error`; follows the name of the file.
pub(super) fn fault(path: &Path, bytes: &[u8], error: &SafeTensorError) -> String {
    if bytes.is_empty() {
        return format!("is empty; {AGAIN}");
    }
    // The length of a header may begin as another format does; behind it stands the header.
    let is_foreign = bytes.get(8..10).is_some_and(|header| header != b"{\"");
    if let Some((_, name, remedy)) = FOREIGN.iter().find(|(magic, ..)| is_foreign && bytes.starts_with(magic)) {
        let (from, to) = (path.display().to_string(), path.with_extension("").display().to_string());
        let remedy = remedy.replace("{in}", &from).replace("{out}", &to);
        return format!("is {name}, and no safetensors file; {remedy}");
    }
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return format!("has {} bytes, fewer than the shortest safetensors file; {AGAIN}", bytes.len());
    };
    let length = u64::from_le_bytes(*length);
    if length > LONGEST_HEADER || rest.first().is_some_and(|&first| first != b'{') {
        return "is no safetensors file; save the weights with safetensors.torch.save_file or \
                safetensors.numpy.save_file"
            .to_owned();
    }
    let Some(header) = rest.get(..length as usize) else {
        return format!("is cut short: it ends at byte {} within its header of {length} bytes; {AGAIN}", bytes.len());
    };
    let data = rest.len() as u64 - length;
    let Ok(header) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(header) else {
        return format!("is damaged: its header is no list of tensors; {AGAIN}");
    };
    let ends = header.values().filter_map(|tensor| tensor.get("data_offsets")?.get(1)?.as_u64());
    match ends.max() {
        Some(end) if end > data => {
            format!("is cut short: its tensors take {end} bytes behind the header, and {data} are there; {AGAIN}")
        }
        _ => format!("is damaged ({error}); {AGAIN}"),
    }
}

#[cfg(test)]
mod tests {
    use safetensors::SafeTensors;
    use safetensors::tensor::{Dtype, TensorView};

    use super::*;

    fn fault_of(bytes: &[u8]) -> String {
        let error = SafeTensors::deserialize(bytes).expect_err("no safetensors");
        fault(Path::new("nets/w.pt"), bytes, &error)
    }

    #[test]
    fn files_of_other_programs_are_named_with_a_way_to_convert_them() {
        let sentence = fault_of(b"PK\x03\x04\x14\0archive/data.pkl");
        assert!(sentence.starts_with("is a ZIP archive, as torch.save"), "{sentence}");
        assert!(sentence.contains("torch.load('nets/w.pt', map_location='cpu')"), "{sentence}");
        assert!(sentence.ends_with("'nets/w.safetensors')\""), "{sentence}");
        assert!(fault_of(b"version https://git-lfs.github.com/spec/v1\noid sha256:0").contains("git lfs pull"));
        assert!(fault_of(b"<!DOCTYPE html><title>404").contains("download it again"));
        assert!(fault_of(b"time,adc\n0.1,3\n0.2,4\n").starts_with("is no safetensors file; save the weights"));
    }

    /// The first bytes of a header's length are those of a pickle and of a page of HTML.
    #[test]
    fn a_length_that_looks_like_another_format_is_none() {
        for length in [0x0480u64, 0x0280, 0x013c] {
            let mut bytes = length.to_le_bytes().to_vec();
            bytes.extend_from_slice(br#"{"__metadata__":{"settings":"#);
            let fault = fault_of(&bytes);
            assert!(fault.starts_with("is cut short: it ends at byte 36 within its header of"), "{fault}");
        }
        assert!(fault_of(b"\x80\x04\x95\x20\0\0\0\0\0\0\0}\x94").starts_with("is a pickle, and no safetensors file"));
    }

    #[test]
    fn cut_and_damaged_files_say_where() {
        let bytes = [0u8; 48];
        let view = TensorView::new(Dtype::F32, vec![3, 4], &bytes).unwrap();
        let whole = safetensors::serialize([("layers.0.weight", view)], None).unwrap();
        let header = u64::from_le_bytes(whole[..8].try_into().unwrap());
        assert_eq!(fault_of(&[]), "is empty; copy it again, or make it anew");
        assert!(fault_of(&whole[..5]).starts_with("has 5 bytes, fewer than"));
        assert!(
            fault_of(&whole[..8])
                .starts_with(&format!("is cut short: it ends at byte 8 within its header of {header} "))
        );
        assert!(fault_of(&whole[..30]).starts_with("is cut short: it ends at byte 30 within its header of"));
        let cut = fault_of(&whole[..whole.len() - 7]);
        assert!(
            cut.starts_with("is cut short: its tensors take 48 bytes behind the header, and 41 are there"),
            "{cut}"
        );
        let mut longer = whole.clone();
        longer.push(0);
        assert!(fault_of(&longer).starts_with("is damaged ("), "{}", fault_of(&longer));
        let mut broken = whole;
        broken[9] = b'}';
        assert!(fault_of(&broken).starts_with("is damaged: its header is no list of tensors"));
    }
}
